WITH those AS (
  SELECT left(c_phone, 2) AS country, c_custkey, c_acctbal
  FROM customers
  WHERE c_phone RLIKE '^(13|17|18|23|29|30|31)-'
),
usual AS (
  SELECT CAST(SUM(c_acctbal) AS DECIMAL(28,10)) / COUNT(*) AS balance FROM those WHERE c_acctbal > 0
)
SELECT
  country,
  COUNT(*) AS customers,
  CAST(SUM(c_acctbal) AS DECIMAL(15,2)) AS balance,
  CAST(SUM(c_acctbal - (SELECT balance FROM usual)) / COUNT(*) AS DECIMAL(15,2)) AS ahead
FROM those
WHERE c_acctbal > (SELECT balance FROM usual)
  AND c_custkey NOT IN (SELECT o_custkey FROM orders)
GROUP BY country
ORDER BY country
