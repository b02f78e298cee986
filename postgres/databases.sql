-- Run once, by the first start of the container: each service has a role of its own, which owns its own database and
-- cannot enter any other.
\set file_reader_password `cat /run/secrets/file_reader_database_password`
\set postcode_consumer_password `cat /run/secrets/postcode_consumer_database_password`
CREATE ROLE file_reader LOGIN PASSWORD :'file_reader_password';
CREATE ROLE postcode_consumer LOGIN PASSWORD :'postcode_consumer_password';
CREATE DATABASE file_reader OWNER file_reader;
CREATE DATABASE postcode_consumer OWNER postcode_consumer;
REVOKE CONNECT ON DATABASE file_reader, postcode_consumer, postgres, template1 FROM PUBLIC;
