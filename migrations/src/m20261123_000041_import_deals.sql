-- Imports make deals, too: what kind they are of is 'deals' then, and each row names its deal.
ALTER TABLE import_row ADD COLUMN deal_id {id}

-- The number a deal has in the system it came from: taken in again, it is the same deal.
ALTER TABLE deal ADD COLUMN external_id TEXT

CREATE UNIQUE INDEX deal_external_id ON deal (external_id) WHERE external_id IS NOT NULL
