CREATE INDEX search_document_body ON search_document USING gin (to_tsvector('simple', body))
