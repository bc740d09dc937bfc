-- Members, what finds them, what they agreed to, and how all of that came to be.

CREATE TABLE member (
    id TEXT PRIMARY KEY,
    joined_at TEXT NOT NULL,
    joined_on TEXT NOT NULL,
    joined_month_day TEXT NOT NULL,
    first_name TEXT,
    last_name TEXT,
    email TEXT,
    phone TEXT,
    birthday TEXT,
    birthday_month_day TEXT,
    language TEXT,
    tier TEXT,
    tags TEXT NOT NULL,
    attributes TEXT NOT NULL,
    last_activity_at TEXT,
    lifetime_points BIGINT NOT NULL
);
CREATE INDEX member_by_birthday ON member (birthday_month_day);
CREATE INDEX member_by_joining_day ON member (joined_month_day);
CREATE INDEX member_by_last_activity ON member (last_activity_at);

-- `email:ada@example.com`, `phone:+14155550123`, `id:square:CUS1`: one member each.
CREATE TABLE identity (
    identity TEXT PRIMARY KEY,
    member_id TEXT NOT NULL,
    added_at TEXT NOT NULL
);
CREATE INDEX identity_by_member ON identity (member_id);

-- One customer record named both members; they were not merged, a person may want to look.
CREATE TABLE identity_conflict (
    identity TEXT NOT NULL,
    member_id TEXT NOT NULL,
    owner_id TEXT NOT NULL,
    cause TEXT NOT NULL,
    at TEXT NOT NULL,
    PRIMARY KEY (identity, member_id)
);

CREATE TABLE member_change (
    seq $sequence,
    member_id TEXT NOT NULL,
    field TEXT NOT NULL,
    old_value TEXT,
    new_value TEXT,
    cause TEXT NOT NULL,
    at TEXT NOT NULL
);
CREATE INDEX member_change_by_member ON member_change (member_id, seq);

CREATE TABLE consent (
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    own TEXT,
    own_source TEXT NOT NULL,
    own_at TEXT NOT NULL,
    noted TEXT,
    noted_at TEXT NOT NULL,
    PRIMARY KEY (address, channel)
);

CREATE TABLE consent_change (
    seq $sequence,
    channel TEXT NOT NULL,
    address TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    evidence TEXT NOT NULL,
    at TEXT NOT NULL,
    recorded_at TEXT NOT NULL
);
CREATE INDEX consent_change_by_address ON consent_change (address, channel, seq);

-- What the awards of one event in one group were made of so far.
CREATE TABLE award_pool (
    event_id TEXT NOT NULL,
    name TEXT NOT NULL,
    terms TEXT NOT NULL,
    points BIGINT NOT NULL,
    PRIMARY KEY (event_id, name)
);
