-- Films and who made them: made up, and so few that requests can be counted. `pick` is chance that
-- is always the same.

CREATE MACRO pick(what, k, n) AS (md5_number_lower(what || ':' || k) % n)::BIGINT;

CREATE TABLE title AS
SELECT k AS id, 'Film ' || k AS name, 1990 + pick('year', k, 20) AS year, 1 + k % 4 AS kind_id
FROM range(1, 241) AS n(k);

CREATE TABLE kind AS
SELECT k AS id, ['movie', 'series', 'episode', 'short'][k] AS kind FROM range(1, 5) AS n(k);

CREATE TABLE company AS
SELECT
    k AS id, 'Studio ' || k AS name,
    ['us', 'us', 'de', 'fr', 'jp', 'in'][1 + pick('country', k, 6)] AS country
FROM range(1, 61) AS n(k);

CREATE TABLE role AS
SELECT k AS id, ['actor', 'actress', 'director', 'writer'][k] AS role FROM range(1, 5) AS n(k);

CREATE TABLE keyword AS SELECT k AS id, 'word-' || k AS word FROM range(1, 121) AS n(k);

CREATE TABLE person AS
SELECT
    k AS id, chr((65 + k % 26)::INTEGER) || ' person ' || k AS name,
    ['f', 'm'][1 + pick('gender', k, 2)] AS gender
FROM range(1, 151) AS n(k);

CREATE TABLE made_by AS
SELECT DISTINCT
    k AS title_id, 1 + pick('company', k * 3 + i, 60) AS company_id,
    ['(theatre)', '(tv)', '(co-production)'][1 + pick('note', k * 3 + i, 3)] AS note
FROM range(1, 241) AS n(k), range(2) AS r(i);

CREATE TABLE about AS
SELECT DISTINCT k AS title_id, 1 + pick('word', k * 5 + i, 120) AS keyword_id, 1 + i AS weight
FROM range(1, 241) AS n(k), range(4) AS r(i);

CREATE TABLE casting AS
SELECT DISTINCT
    k AS title_id, 1 + pick('person', k * 7 + i, 150) AS person_id,
    1 + pick('role', k * 7 + i, 4) AS role_id, i AS place
FROM range(1, 241) AS n(k), range(4) AS r(i);

CREATE TABLE rating AS
SELECT k AS title_id, 1 + pick('stars', k, 10) AS stars FROM range(1, 241) AS n(k) WHERE k % 5 > 0;

CREATE TABLE link AS
SELECT k AS title_id, k - 8 AS linked_id, ['follows', 'remake of'][1 + pick('link', k, 2)] AS link
FROM range(9, 241) AS n(k)
WHERE k % 6 = 0;
