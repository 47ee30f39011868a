/// Rounding of what a number looks like in decimal: 1.005 to two places is 1.01, though the nearest Double is a little
/// less.
enum DecimalRounding {
    /// Moves the point, rounds, and moves it back; all three on the shortest decimal that reads back as the number.
    static func round(_ number: Double, _ places: Double, _ rule: (Double) -> Double) -> Double {
        guard number.isFinite, number != 0, !places.isNaN else { return places.isNaN ? .nan : number }
        let places = Int(min(max(places, -FormulaDecisions.placesMax), FormulaDecisions.placesMax))
        if places == 0 { return rule(number) }
        // Whole already, and no digit before the point is to go.
        if places > 0, number.magnitude < 0x1p53, number == number.rounded() { return number }
        if let result = quickly(number, places, rule) { return result }
        let scaled = shifted(number, by: places)
        // Beyond the range of a Double nothing is left to round.
        guard scaled.isFinite else { return number }
        return shifted(rule(scaled), by: -places)
    }

    /// The same where binary noise cannot matter, which is nearly always: not next to where a rule changes its mind.
    private static func quickly(_ number: Double, _ places: Int, _ rule: (Double) -> Double) -> Double? {
        guard (1...15).contains(places) else { return nil }
        let power = powersOfTen[places]
        let scaled = number * power
        // Below this, the product is off by less than 1e-6.
        guard scaled.magnitude < 1e9 else { return nil }
        let fraction = scaled - scaled.rounded(.down)
        guard fraction > 1e-4, fraction < 1 - 1e-4, (fraction - 0.5).magnitude > 1e-4 else { return nil }
        // Of two exact numbers, so that the quotient is the Double nearest to the decimal.
        return rule(scaled) / power
    }

    private static let powersOfTen: [Double] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
    ]

    /// A product, as precise as one of its factors: the noise behind its last decimal place is cut off.
    static func clean(_ product: Double, asPreciseAs factor: Double) -> Double {
        guard product.isFinite, factor.isFinite, factor != factor.rounded() else { return product }
        let (digits, exponent) = FormulaValue.shortestDigits(of: factor.magnitude)
        return round(product, Double(digits.utf8.count - exponent)) { $0.rounded() }
    }

    /// `number × 10^places`, by writing its decimal with another exponent: one rounding in place of two.
    private static func shifted(_ number: Double, by places: Int) -> Double {
        guard number.isFinite, number != 0 else { return number }
        let (digits, exponent) = FormulaValue.shortestDigits(of: number.magnitude)
        let magnitude = Double("\(digits)e\(exponent - digits.utf8.count + places)") ?? .infinity
        return number < 0 ? -magnitude : magnitude
    }
}
