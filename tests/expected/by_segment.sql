SELECT c.c_mktsegment, SUM(o.o_totalprice * 1.2) AS revenue, COUNT(1) AS orders
FROM customers c
RIGHT JOIN orders o ON o.o_custkey = c.c_custkey
WHERE o.o_orderdate <= DATE'1995-06-17' AND o.o_orderstatus = 'O'
GROUP BY c.c_mktsegment
ORDER BY 2 DESC
