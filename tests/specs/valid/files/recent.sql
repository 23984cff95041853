-- The orders of one day.
SELECT *
FROM orders
WHERE day = ${day}
  AND text = 'it''s; here'
