SELECT *
FROM orders
WHERE day = ${day}
  AND name = 'O
