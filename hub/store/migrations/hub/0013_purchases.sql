-- What members have bought and not given back. What they had bought before is counted, and what they had spent is not.

ALTER TABLE member ADD COLUMN purchases BIGINT NOT NULL DEFAULT 0;
ALTER TABLE member ADD COLUMN spent BIGINT NOT NULL DEFAULT 0;   -- minor units of the programme's currency
UPDATE member SET purchases = (
    SELECT COUNT(*) FROM event WHERE event.member_id = member.id AND event.fact = 'sale' AND event.state = 1
);
