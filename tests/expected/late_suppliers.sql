SELECT
  s_suppkey,
  s_name,
  n_name AS nation,
  COUNT(*) AS lines,
  COUNT(DISTINCT l_orderkey) AS orders,
  CAST(MAX(datediff(l_receiptdate, l_commitdate)) AS INT) AS worst,
  CAST(SUM(l_extendedprice) AS DECIMAL(18,2)) AS value
FROM lineitem, orders, supplier, nation, region
WHERE l_orderkey = o_orderkey
  AND l_suppkey = s_suppkey
  AND s_nationkey = n_nationkey
  AND n_regionkey = r_regionkey
  AND r_name = 'EUROPE'
  AND l_receiptdate BETWEEN DATE'1997-01-01' AND DATE'1997-12-31'
  AND datediff(l_receiptdate, l_commitdate) > CASE o_orderpriority
        WHEN '1-URGENT' THEN 90
        WHEN '2-HIGH' THEN 95
        WHEN '5-LOW' THEN 105
        ELSE 100
      END
GROUP BY s_suppkey, s_name, n_name
ORDER BY lines DESC, value DESC, s_suppkey
