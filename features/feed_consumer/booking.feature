Feature: Feed consumer
  The retailer's own consumer books the intra-day files of a day in two runs. Files come twice and in any order, and orders come again or span files.

  @FEED-X.1 @must @alone
  Scenario: Every order is booked
    Given the feed consumer had to book a day of files
    Then it booked every order

  @FEED-X.2 @must @alone
  Scenario: A repeated file counts once
    Given the feed consumer had to book a day of files
    Then the file that came twice counted once

  @FEED-X.3 @must @alone
  Scenario: A repeated order counts once
    Given the feed consumer had to book a day of files
    Then the order that came in two files counted once

  @FEED-X.4 @must @alone
  Scenario: An order that spans files is whole
    Given the feed consumer had to book a day of files
    Then the order that spans two files was whole

  @FEED-X.5 @must @alone
  Scenario: A file of an earlier run counts once
    Given the feed consumer had to book a day of files
    Then the file of an earlier run counted once

  @FEED-X.6 @house @alone
  Scenario: Captured money agrees to the cent
    Given the feed consumer had to book a day of files
    Then its captured amounts agreed to the cent

  @FEED-X.7 @house @alone
  Scenario: Refunded money agrees to the cent
    Given the feed consumer had to book a day of files
    Then its refunded amounts agreed to the cent

  @FEED-X.8 @house @alone
  Scenario: Nothing else is booked
    Given the feed consumer had to book a day of files
    Then it booked no other order

  @FEED-X.9 @house @alone
  Scenario: Booked messages are deleted
    Given the feed consumer had to book a day of files
    Then its queue was empty at the end

  @FEED-X.10 @house @alone
  Scenario: The feed consumer exits
    Given the feed consumer had to book a day of files
    Then the feed consumer ended by itself
