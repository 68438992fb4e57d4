Feature: Catalog client: the result of an upload
  An upload is complete when the client has read its report. Notifications may come twice and in any order. A link lasts an hour.

  @CAT-X.11 @must @alone
  Scenario: The subscription is confirmed
    Given the client had to upload a large catalog
    Then its subscription is confirmed, if it reads its queue

  @CAT-X.12 @must @alone
  Scenario: Every upload is followed to its report
    Given the client had to upload a large catalog
    Then it fetched every report

  @CAT-X.20 @house @alone
  Scenario: Rejected rows are reported
    Given the client had to upload a large catalog
    Then it reported the row that was rejected
    And it reported the wrong row of a small catalog, and none of the same catalog without it

  @CAT-X.13 @house @alone
  Scenario: A notification that comes twice
    Given the client had to upload a large catalog, of which the first notification comes twice
    Then it fetched every report, whatever its queue delivered

  @CAT-X.14 @house @alone
  Scenario: Notifications out of order
    Given the client had to upload a large catalog, of which the first notification comes last
    Then it fetched every report, whatever its queue delivered

  @CAT-X.15 @house @alone
  Scenario: A notification that does not come
    Given the client had to upload a catalog, of which no notification comes
    Then it fetched every report, whatever its queue delivered

  @CAT-X.16 @house @alone
  Scenario: An expired report link
    Given the client had to upload a catalog, of which the notified link has expired
    Then it fetched every report, whatever its queue delivered

  @CAT-X.17 @house @alone
  Scenario: An ingestion that fails
    Given the client had to upload a catalog, of which the ingestion fails
    Then it ended although its upload had failed
