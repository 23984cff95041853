SELECT
  id,
  concat('https://example.com/', sha2(CAST(id AS STRING), 256)) AS url,
  repeat(md5(CAST(id AS STRING)), 12) AS body,
  sha2(CAST(id DIV 3 AS STRING), 512) AS note
FROM range(${rows})
