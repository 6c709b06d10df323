CREATE VIRTUAL TABLE search_index USING fts5(body, content='search_document', content_rowid='id', tokenize='unicode61 remove_diacritics 2', prefix='2 3')

CREATE TRIGGER search_document_insert AFTER INSERT ON search_document BEGIN
  INSERT INTO search_index (rowid, body) VALUES (new.id, new.body);
END

CREATE TRIGGER search_document_delete AFTER DELETE ON search_document BEGIN
  INSERT INTO search_index (search_index, rowid, body) VALUES ('delete', old.id, old.body);
END

CREATE TRIGGER search_document_update AFTER UPDATE ON search_document BEGIN
  INSERT INTO search_index (search_index, rowid, body) VALUES ('delete', old.id, old.body);
  INSERT INTO search_index (rowid, body) VALUES (new.id, new.body);
END
