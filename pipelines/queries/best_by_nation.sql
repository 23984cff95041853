-- The best customer of each nation, and how far the second is behind.
SELECT nation, customer, name, revenue, ahead
FROM (
  SELECT
    n.n_name AS nation,
    s.customer,
    s.name,
    s.revenue,
    CAST(s.revenue - lead(s.revenue) OVER (PARTITION BY n_nationkey ORDER BY s.revenue DESC, s.customer)
         AS DECIMAL(18,4)) AS ahead,
    row_number() OVER (PARTITION BY n_nationkey ORDER BY s.revenue DESC, s.customer) AS place
  FROM customer_sales s
  JOIN nation n USING (n_nationkey)
) ranked
WHERE place = 1
ORDER BY nation;
