SELECT
  l_returnflag,
  l_linestatus,
  CAST(SUM(l_quantity) AS DECIMAL(18,2)) AS sum_qty,
  CAST(SUM(l_extendedprice) AS DECIMAL(18,2)) AS sum_base_price,
  CAST(SUM(l_extendedprice * (1 - l_discount)) AS DECIMAL(18,4)) AS sum_disc_price,
  CAST(SUM(l_extendedprice * (1 - l_discount) * (1 + l_tax)) AS DECIMAL(18,6)) AS sum_charge,
  CAST(CAST(SUM(l_quantity) AS DECIMAL(28,10)) / COUNT(*) AS DECIMAL(18,6)) AS avg_qty,
  CAST(CAST(SUM(l_extendedprice) AS DECIMAL(28,10)) / COUNT(*) AS DECIMAL(18,6)) AS avg_price,
  CAST(CAST(SUM(l_discount) AS DECIMAL(28,10)) / COUNT(*) AS DECIMAL(18,6)) AS avg_disc,
  COUNT(*) AS count_order
FROM lineitem
WHERE l_shipdate <= DATE'1998-09-02'
GROUP BY l_returnflag, l_linestatus
ORDER BY l_returnflag, l_linestatus
