SELECT
  id,
  id * 7919 % 1000003 AS customer,
  id % 100000 / 7D AS amount,
  concat('order ', id % 50000) AS label,
  date_add(DATE '2020-01-01', CAST(id % 1500 AS INT)) AS day,
  CAST(id * 37 % 1000000 / 100D AS DECIMAL(12, 2)) AS price
FROM range(${rows})
