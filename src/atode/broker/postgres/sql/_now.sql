(SELECT coalesce($1::double precision, date_part('epoch', statement_timestamp())) AS seconds)
