import Domain

/// Durations as people write and read them.
extension CellText {
    /// Seconds of `1:30`, `1:30:05.5`, `-0:05`, or a plain number, which is seconds.
    ///
    /// Two parts are hours and minutes when the field shows no seconds, else minutes and seconds, as the last part is
    /// what the field's last part is.
    static func duration(_ text: String, format: String?) -> Double? {
        var text = text[...]
        let isNegative = text.first == "-"
        if isNegative { text.removeFirst() }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard (1...3).contains(parts.count), let last = parts.last, let lastNumber = plainDecimal(last) else {
            return nil
        }
        if parts.count == 1 { return isNegative ? -lastNumber : lastNumber }
        var seconds = 0.0
        let showsSeconds = format.map { $0 != "h:mm" } ?? true
        let lowest = parts.count == 2 && !showsSeconds ? 60.0 : 1.0
        var unit = lowest
        for (place, part) in parts.reversed().enumerated() {
            guard let number = place == 0 ? lastNumber : plainDecimal(part), place == parts.count - 1 || number < 60,
                place == 0 || number == number.rounded()
            else { return nil }
            seconds += number * unit
            unit *= 60
        }
        return isNegative ? -seconds : seconds
    }

    /// `1:05`, `1:05:09`, `1:05:09.25`, as the field's format says; rounded to what it shows, half away from zero.
    static func text(ofDuration seconds: Double, format: String?) -> String {
        let format = format ?? "h:mm"
        let decimals = format.firstIndex(of: ".").map { format[format.index(after: $0)...].count } ?? 0
        let scale = [1.0, 10, 100, 1_000][min(decimals, 3)]
        let exact = format == "h:mm" ? seconds.magnitude / 60 : seconds.magnitude * scale
        let units = exact.rounded(.toNearestOrAwayFromZero)
        guard let whole = units.asWholeNumber else { return seconds.description }
        let sign = seconds < 0 && whole > 0 ? "-" : ""
        func two(_ number: Int64) -> String { number < 10 ? "0\(number)" : "\(number)" }
        if format == "h:mm" { return "\(sign)\(whole / 60):\(two(whole % 60))" }
        let (all, fraction) = (whole / Int64(scale), whole % Int64(scale))
        let clock = "\(sign)\(all / 3_600):\(two(all / 60 % 60)):\(two(all % 60))"
        if decimals == 0 { return clock }
        let digits = String(fraction)
        return clock + "." + String(repeating: "0", count: decimals - digits.count) + digits
    }

    private static func plainDecimal(_ text: Substring) -> Double? {
        guard !text.isEmpty, text.utf8.count <= 18,
            text.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == UInt8(ascii: ".") })
        else { return nil }
        return Double(String(text))
    }
}
