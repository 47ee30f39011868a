import Synchronization

/// Names for what happens often, such as requests: they tell things apart in a log and guard nothing, so they come from a
/// counter, and no system call is made for them.
public enum RunningName {
    /// 20 letters and digits that nothing in this process was named by before, nor likely in another.
    public static func made() -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        return text([mixed(number &+ seeds.0), mixed(number &+ seeds.1)], digits: 10)
    }

    /// 6 letters and digits: enough to tell the steps of one request apart.
    public static func short() -> String {
        text([mixed(counter.add(1, ordering: .relaxed).newValue &+ seeds.0)], digits: 6)
    }

    private static func text(_ numbers: [UInt64], digits: Int) -> String {
        String(unsafeUninitializedCapacity: numbers.count * digits) { bytes in
            for (position, number) in numbers.enumerated() {
                var rest = number
                for place in 0..<digits {
                    bytes[position * digits + place] = letters[Int(rest % 36)]
                    rest /= 36
                }
            }
            return numbers.count * digits
        }
    }

    /// Another number for each (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var value = number &* 0x9E37_79B9_7F4A_7C15
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    private static let counter = Atomic<UInt64>(0)
    private static let seeds = (UInt64.random(in: 0 ... .max), UInt64.random(in: 0 ... .max))
    private static let letters = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
}
