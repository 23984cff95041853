SELECT s_suppkey, s_name, n_name AS nation
FROM supplier
JOIN nation ON n_nationkey = s_nationkey
WHERE n_regionkey = (SELECT r_regionkey FROM region WHERE r_name = 'EUROPE')
  AND s_suppkey NOT IN (
    SELECT l_suppkey
    FROM lineitem
    JOIN orders ON o_orderkey = l_orderkey
    WHERE l_receiptdate >= DATE'1997-01-01'
      AND l_receiptdate < DATE'1998-01-01'
      AND (   o_orderpriority = '1-URGENT' AND datediff(l_receiptdate, l_commitdate) > 90
           OR o_orderpriority = '2-HIGH' AND datediff(l_receiptdate, l_commitdate) > 95
           OR o_orderpriority IN ('3-MEDIUM', '4-NOT SPECIFIED') AND datediff(l_receiptdate, l_commitdate) > 100
           OR o_orderpriority = '5-LOW' AND datediff(l_receiptdate, l_commitdate) > 105))
ORDER BY nation, s_name
