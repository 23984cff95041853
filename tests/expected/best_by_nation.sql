WITH sums AS (
  SELECT n_name AS nation, c_custkey AS customer, c_name AS name, SUM(l_extendedprice * (1 - l_discount)) AS revenue
  FROM nation
  JOIN customers ON c_nationkey = n_nationkey
  JOIN orders ON o_custkey = c_custkey
  JOIN lineitem ON l_orderkey = o_orderkey
  WHERE o_orderdate BETWEEN DATE'1994-01-01' AND DATE'1994-12-31'
    AND c_mktsegment IN ('AUTOMOBILE', 'BUILDING', 'MACHINERY')
  GROUP BY n_name, c_custkey, c_name
),
best AS (SELECT nation, MAX(revenue) AS most FROM sums GROUP BY nation),
second AS (
  SELECT sums.nation, MAX(sums.revenue) AS most
  FROM sums JOIN best ON best.nation = sums.nation AND sums.revenue < best.most
  GROUP BY sums.nation
)
SELECT
  sums.nation,
  sums.customer,
  sums.name,
  CAST(sums.revenue AS DECIMAL(18,4)) AS revenue,
  CAST(sums.revenue - second.most AS DECIMAL(18,4)) AS ahead
FROM sums
JOIN best ON best.nation = sums.nation AND best.most = sums.revenue
LEFT JOIN second ON second.nation = sums.nation
ORDER BY sums.nation
