-- Counts that are shown, kept while the rows are written, so that nobody has to count a large table.

CREATE TABLE tally (
    subject TEXT NOT NULL,
    name    TEXT NOT NULL,
    number  BIGINT NOT NULL,
    PRIMARY KEY (subject, name)
);
