Feature: Charge calculation
  Prices never travel in a connector's answer, so these cases hold the reference connector's own pricing.
  Figures are worked by hand; the reasoning stands above each scenario.

  Background:
    Given the store sells
      | sku    | price  | sold by | tax code |
      | WATER  | 1.00   | unit    | FOOD     |
      | TOWELS | 4.99   | unit    | GENERAL  |
      | WINE   | 10.00  | unit    | DRINK    |
      | FIGS   | 2.00   | lb      | FOOD     |
      | LAMP   | 0.05   | unit    | GENERAL  |

  # 1.255 lb x 2.00 = 2.51; 0.0025 lb x 2.00 = 0.005, half a cent, goes up; 0.002 lb x 2.00 = 0.004 goes down.
  @PRICE-7c.1
  Scenario Outline: A line is rounded to the cent, half a cent upwards
    When the cart holds <quantity> of FIGS
    Then the total is <total>

    Examples:
      | quantity | total |
      | 1.255    | 2.51  |
      | 0.0025   | 0.01  |
      | 0.002    | 0.00  |

  # 3 x 4.99 = 14.97; a tenth is 1.497, rounded to 1.50 on the line and not to 0.50 on each piece, which agree here;
  # at 15 % a piece would give 0.75 (2.25 in all) and the line gives 2.2455, 2.25; one piece gives 0.7485, 0.75.
  @PRICE-7c.2
  Scenario Outline: A percentage is taken of the line, and rounded once
    Given TOWELS are <percent> percent off
    When the cart holds <quantity> of TOWELS
    Then the bill reads subtotal <subtotal>, promotions <promotions>, tax 0.00, total <total>

    Examples:
      | percent | quantity | subtotal | promotions | total |
      | 10      | 3        | 14.97    | 1.50       | 13.47 |
      | 15      | 1        | 4.99     | 0.75       | 4.24  |
      | 15      | 3        | 14.97    | 2.25       | 12.72 |
      | 33      | 7        | 34.93    | 11.53      | 23.40 |

  # The published example: 1.00 less 0.01. A fixed amount comes off each piece: 3 x 0.25 = 0.75.
  @PRICE-7c.3
  Scenario Outline: A fixed amount comes off each piece
    Given WATER is <amount> off
    When the cart holds <quantity> of WATER
    Then the bill reads subtotal <subtotal>, promotions <promotions>, tax 0.00, total <total>

    Examples:
      | amount | quantity | subtotal | promotions | total |
      | 0.01   | 1        | 1.00     | 0.01       | 0.99  |
      | 0.25   | 3        | 3.00     | 0.75       | 2.25  |

  # Of each pair one piece is free: 5 pieces are 2 pairs and one more, so 3 are paid for.
  @PRICE-7c.4
  Scenario Outline: Buy one, get one
    Given for each 1 of TOWELS bought one more is free
    When the cart holds <quantity> of TOWELS
    Then the bill reads subtotal <subtotal>, promotions <promotions>, tax 0.00, total <total>

    Examples:
      | quantity | subtotal | promotions | total |
      | 1        | 4.99     | 0.00       | 4.99  |
      | 2        | 9.98     | 4.99       | 4.99  |
      | 5        | 24.95    | 9.98       | 14.97 |

  # Two pieces that came one by one, on two lines of the cart, are a pair all the same.
  @PRICE-7c.4
  Scenario: Pairs are counted over all lines of a product
    Given for each 1 of TOWELS bought one more is free
    When the cart holds 1 of TOWELS
    And the cart holds 1 of TOWELS
    Then the total is 4.99

  # In the order in which they stand, each on what is left: 10.00 - 10 % = 9.00, less 2.00 = 7.00;
  # the other way round 10.00 - 2.00 = 8.00, less 10 % = 7.20.
  @PRICE-7c.5
  Scenario: Stacked promotions apply one after the other
    Given WINE is 10 percent off
    And WINE is 2.00 off
    When the cart holds 1 of WINE
    Then the total is 7.00

  @PRICE-7c.5
  Scenario: The order of stacked promotions matters
    Given WINE is 2.00 off
    And WINE is 10 percent off
    When the cart holds 1 of WINE
    Then the total is 7.20

  # Half price leaves 2 x 5.00 = 10.00; of that pair one piece is free: 5.00 and not the full 10.00.
  @PRICE-7c.5
  Scenario: The free piece of a discounted pair is worth its discounted price
    Given WINE is 50 percent off
    And for each 1 of WINE bought one more is free
    When the cart holds 2 of WINE
    Then the total is 5.00

  # 10 % and 2.00 together take 3.00 off; 40 % alone takes 4.00. They do not stack, so the shopper gets the better.
  @PRICE-7c.5
  Scenario: A promotion that does not stack stands against the others
    Given WINE is 10 percent off
    And WINE is 2.00 off
    And WINE is 40 percent off, alone
    When the cart holds 1 of WINE
    Then the total is 6.00

  # A tenth of 2 pieces only: 2 x 4.99 = 9.98, a tenth is 0.998, so 1.00.
  @PRICE-7c.6
  Scenario Outline: A promotion stops at its limit of pieces
    Given TOWELS are 10 percent off, for at most 2 pieces
    When the cart holds <quantity> of TOWELS
    Then the bill reads subtotal <subtotal>, promotions <promotions>, tax 0.00, total <total>

    Examples:
      | quantity | subtotal | promotions | total |
      | 1        | 4.99     | 0.50       | 4.49  |
      | 2        | 9.98     | 1.00       | 8.98  |
      | 5        | 24.95    | 1.00       | 23.95 |

  # 6 pieces would make 3 free; the limit is one.
  @PRICE-7c.6
  Scenario: Buy one, get one, once
    Given for each 1 of WATER bought one more is free, for at most 1 pieces
    When the cart holds 6 of WATER
    Then the total is 5.00

  # 50 % of 10 x 10.00 would be 50.00; no more than 15.00 is given.
  @PRICE-7c.6
  Scenario: A promotion stops at its limit of money
    Given WINE is 50 percent off, for at most 15.00 in all
    When the cart holds 10 of WINE
    Then the total is 85.00

  # 7 % of 4.99 is 0.3493, so 0.35.
  @PRICE-7c.7
  Scenario: The standard rate is added
    Given the standard tax is 7 percent
    When the cart holds 1 of TOWELS
    Then the bill reads subtotal 4.99, promotions 0.00, tax 0.35, total 5.34

  @PRICE-7c.8
  Scenario: Exempt goods carry no tax beside taxed ones
    Given the standard tax is 7 percent
    And FOOD is taxed at 0 percent
    When the cart holds 2 of WATER
    And the cart holds 1 of TOWELS
    Then the bill reads subtotal 6.99, promotions 0.00, tax 0.35, total 7.34

  # 7 % of 4.99 = 0.35; 20 % of 10.00 = 2.00; food 2.5 % of 1.00 = 0.025, half a cent upwards 0.03.
  @PRICE-7c.9
  Scenario: Each line has the rate of its own tax code
    Given the standard tax is 7 percent
    And DRINK is taxed at 20 percent
    And FOOD is taxed at 2.5 percent
    When the cart holds 1 of WATER
    And the cart holds 1 of TOWELS
    And the cart holds 1 of WINE
    Then the bill reads subtotal 15.99, promotions 0.00, tax 2.38, total 18.37

  # 10.00 less half is 5.00; 20 % of that is 1.00, not 2.00.
  @PRICE-7c.10
  Scenario: Tax is on the discounted amount
    Given DRINK is taxed at 20 percent
    And WINE is 50 percent off
    When the cart holds 1 of WINE
    Then the bill reads subtotal 10.00, promotions 5.00, tax 1.00, total 6.00

  # 2 x 1.00 + 3 x 4.99 + 0.75 x 2.00 = 18.47; off: a tenth of 14.97 = 1.50; tax: 7 % of 13.47 = 0.94.
  @PRICE-7c.11
  Scenario: The total is the subtotal less promotions plus tax, and the sum of its lines
    Given the standard tax is 7 percent
    And FOOD is taxed at 0 percent
    And TOWELS are 10 percent off
    When the cart holds 2 of WATER
    And the cart holds 3 of TOWELS
    And the cart holds 0.75 of FIGS
    Then the bill reads subtotal 18.47, promotions 1.50, tax 0.94, total 17.91
    And the lines add up to the total

  @PRICE-7c.12
  Scenario Outline: A total never falls below zero
    Given WATER is <percent> percent off
    And WATER is <amount> off
    When the cart holds <quantity> of WATER
    Then the total is 0.00
    And no line is negative

    Examples:
      | percent | amount | quantity |
      | 0.01    | 9.99   | 1        |
      | 100     | 5.00   | 3        |
      | 50      | 0.75   | 1        |

  # 1,000 lamps at 0.05 on 1,000 lines are 50.00; tax once on the merged line, 7 % = 3.50, and not 1,000 x 0.0035,
  # each rounded to 0.00.
  @PRICE-7c.13
  Scenario: A large cart is priced right and in time
    Given the standard tax is 7 percent
    When the cart holds 1 of LAMP, on 1000 lines
    Then the bill reads subtotal 50.00, promotions 0.00, tax 3.50, total 53.50
    And pricing took less than 1 second
