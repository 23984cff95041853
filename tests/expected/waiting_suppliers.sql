WITH parts AS (
  SELECT
    l_orderkey,
    l_suppkey,
    MAX(CASE WHEN l_receiptdate > l_commitdate THEN 1 ELSE 0 END) AS is_late,
    MAX(CASE WHEN l_receiptdate > l_commitdate THEN datediff(l_receiptdate, l_commitdate) END) AS days
  FROM lineitem
  WHERE l_orderkey IN (SELECT o_orderkey FROM orders WHERE o_orderstatus = 'F')
  GROUP BY l_orderkey, l_suppkey
),
whole AS (
  SELECT l_orderkey, COUNT(*) AS suppliers, SUM(is_late) AS late
  FROM parts
  GROUP BY l_orderkey
)
SELECT s_suppkey, s_name, COUNT(*) AS orders, CAST(MAX(days) AS INT) AS longest
FROM whole, parts, supplier
WHERE whole.l_orderkey = parts.l_orderkey
  AND suppliers > 1
  AND late = 1
  AND is_late = 1
  AND l_suppkey = s_suppkey
  AND s_nationkey = (SELECT n_nationkey FROM nation WHERE n_name = 'CHINA')
GROUP BY s_suppkey, s_name
ORDER BY orders DESC, s_name
