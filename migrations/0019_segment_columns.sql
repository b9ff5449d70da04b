-- Which segments were made before a property was promoted or demoted, without opening them.

ALTER TABLE segments ADD COLUMN columns text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN segments.columns IS 'Properties that its events have values of, sorted; others than the promoted ones: it is right, and is made anew in the background.';
COMMENT ON TABLE property_uses IS 'How often questions filtered or broke down by a property; kept for 60 days, to know which deserve a column.';
