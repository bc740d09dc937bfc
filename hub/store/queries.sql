-- add_to_tally --
-- So many more of them.
INSERT INTO tally (subject, name, number) VALUES (:subject, :name, :number)
ON CONFLICT (subject, name) DO UPDATE SET number = tally.number + excluded.number;

-- tallies --
-- How many there were of each.
SELECT subject, name, number FROM tally;
