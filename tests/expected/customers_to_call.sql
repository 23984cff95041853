WITH sums AS (
  SELECT
    c_custkey AS customer,
    c_name AS name,
    c_mktsegment AS segment,
    COUNT(DISTINCT o_orderkey) AS orders,
    CAST(SUM(l_extendedprice * (1 - l_discount)) AS DECIMAL(18,4)) AS revenue,
    CAST(SUM(IF(l_returnflag = 'R', l_extendedprice * (1 - l_discount), 0)) AS DECIMAL(18,4)) AS returned
  FROM customers
  JOIN orders ON o_custkey = c_custkey
  JOIN lineitem ON l_orderkey = o_orderkey
  WHERE year(o_orderdate) = 1994 AND c_mktsegment NOT IN ('FURNITURE', 'HOUSEHOLD')
  GROUP BY c_custkey, c_name, c_mktsegment
),
placed AS (
  SELECT
    *,
    row_number() OVER (ORDER BY revenue DESC, customer) AS by_revenue,
    row_number() OVER (ORDER BY returned DESC, customer) AS by_returned
  FROM sums
)
SELECT customer, name, segment, orders, revenue, returned
FROM placed
WHERE by_revenue <= 5 OR (by_returned <= 5 AND returned > 0)
ORDER BY revenue DESC, customer
