-- Store a definition in place of what is there.
-- 1 id   2 version   3 body
INSERT OR REPLACE INTO definitions (id, version, body) VALUES (?1, ?2, ?3);
