Feature: Catalog client: uploading
  The retailer's own client uploads a catalog to the simulated platform. The suite checks what arrived there.

  @CAT-X.1 @must @alone
  Scenario: Calls are signed
    Given the client had to upload a large catalog
    Then every call was signed as it must be

  @CAT-X.18 @must @alone
  Scenario: Calls are valid
    Given the client had to upload a large catalog
    Then the platform understood every call

  @CAT-X.19 @must @alone
  Scenario: Calls say that they are JSON
    Given the client had to upload a large catalog
    Then every call said that it was JSON

  @CAT-X.2 @must @alone
  Scenario: Large catalogs are split
    Given the client had to upload a large catalog
    Then no upload had more items than it may have

  @CAT-X.3 @must @alone
  Scenario: No row is lost
    Given the client had to upload a large catalog
    Then the platform holds every valid row

  @CAT-X.22 @house @alone
  Scenario: Nothing else is uploaded
    Given the client had to upload a large catalog
    Then the platform holds nothing else

  @CAT-X.4 @house @alone
  Scenario: No row is uploaded twice
    Given the client had to upload a large catalog
    Then no row was in two uploads

  @CAT-X.5 @must @alone
  Scenario: The rate is kept
    Given the client had to upload a large catalog
    Then it never called too often

  @CAT-X.21 @house @alone
  Scenario: The client exits
    Given the client had to upload a large catalog
    Then it ended by itself
