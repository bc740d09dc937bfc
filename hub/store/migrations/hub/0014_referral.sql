-- Who brought a member; the code by which somebody does it is an identity, `code:K7QM2X`.

ALTER TABLE member ADD COLUMN referred_by TEXT;
