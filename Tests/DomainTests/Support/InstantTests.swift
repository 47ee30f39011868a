import Domain
import Foundation
import TestSupport
import Testing

@Suite("Dates")
struct CalendarDateTests {
    @Test(
        "are counted from 1970-01-01",
        arguments: [
            ("1970-01-01", 0), ("1969-12-31", -1), ("2000-02-29", 11_016), ("2000-03-01", 11_017),
            ("0001-01-01", -719_162), ("9999-12-31", 2_932_896),
            ("1900-03-01", -25_508), ("2024-05-01", 19_844),
        ] as [(String, Int32)]
    )
    func counts(text: String, days: Int32) {
        #expect(CalendarDate(iso8601: text)?.daysSinceEpoch == days)
        #expect(CalendarDate(daysSinceEpoch: days).iso8601 == text)
    }

    @Test("follow one another through every month and leap year")
    func sequence() throws {
        var previous = try #require(CalendarDate(year: 1, month: 1, day: 1))
        for days in (previous.daysSinceEpoch + 1)...(previous.daysSinceEpoch + 2 * 146_097) {
            let next = CalendarDate(daysSinceEpoch: days)
            let (before, after) = (previous.components, next.components)
            let isNextDay = after.year == before.year && after.month == before.month && after.day == before.day + 1
            let isNextMonth = after.year == before.year && after.month == before.month + 1 && after.day == 1
            let isNextYear = after.year == before.year + 1 && after.month == 1 && after.day == 1 && before.month == 12
            let isInOrder = isNextDay || isNextMonth || isNextYear
            let readsBack = CalendarDate(year: after.year, month: after.month, day: after.day) == next
            if !isInOrder || !readsBack { Issue.record("\(next) after \(previous)") }
            previous = next
        }
        #expect(previous.components.year == 801)
    }

    @Test(
        "know leap years",
        arguments: [
            ("2024-02-29", true), ("2023-02-29", false), ("1900-02-29", false), ("2000-02-29", true),
            ("2100-02-29", false), ("0004-02-29", true),
            ("2024-02-30", false), ("2023-04-31", false), ("2023-06-30", true),
        ]
    )
    func leapYears(text: String, exists: Bool) { #expect((CalendarDate(iso8601: text) != nil) == exists) }

    @Test(
        "are read strictly",
        arguments: [
            "", "2024", "2024-05", "2024-5-1", "24-05-01", "2024/05/01", "20240501", "2024-00-01", "2024-13-01",
            "2024-01-00", "2024-01-32",
            "0000-01-01", "-2024-01-01", "+2024-01-01", " 2024-01-01", "2024-01-01 ", "2024-01-01Z", "2024-01-01T00:00",
            "12024-01-01", "２０２４-01-01",
        ]
    )
    func refusals(text: String) { #expect(CalendarDate(iso8601: text) == nil) }

    @Test("outside four-digit years get a sign")
    func farYears() {
        #expect(CalendarDate(daysSinceEpoch: 2_932_897).iso8601 == "+010000-01-01")
        #expect(CalendarDate(daysSinceEpoch: -719_163).iso8601 == "0000-12-31")
        #expect(CalendarDate(daysSinceEpoch: -719_529).iso8601 == "-000001-12-31")
    }
}

@Suite("Instants")
struct InstantTests {
    @Test(
        "are written in UTC with milliseconds, rounded down",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_714_566_896_000_000, "2024-05-01T12:34:56.000Z"),
            (999, "1970-01-01T00:00:00.000Z"),
            (1_999, "1970-01-01T00:00:00.001Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (-86_400_000_001, "1969-12-30T23:59:59.999Z"),
            (253_402_300_799_999_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000_000, "+010000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)]
    )
    func writes(microseconds: Int64, text: String) { #expect(Instant(microseconds: microseconds).iso8601 == text) }

    @Test(
        "are read with and without seconds, fraction and zone",
        arguments: [
            ("1970-01-01", 0), ("1970-01-02T00:00", 86_400_000_000), ("1970-01-01T00:00Z", 0),
            ("1970-01-01T01:02:03", 3_723_000_000),
            ("1970-01-01T00:00:00.1Z", 100_000), ("1970-01-01T00:00:00.123456Z", 123_456),
            ("1970-01-01T00:00:00.123456789", 123_456),
            ("1969-12-31T23:59:59.999999Z", -1), ("1970-01-01T00:00:00+01:00", -3_600_000_000),
            ("1970-01-01T00:00-05:30", 19_800_000_000),
            ("1970-01-01T00:00:00-00:00", 0), ("1970-01-01T00:00:00.5+00:01", -59_500_000),
            ("9999-12-31T23:59:59.999999Z", 253_402_300_799_999_999),
            ("0001-01-01T00:00:00Z", -62_135_596_800_000_000), ("2024-02-29T23:59:59+23:59", 1_709_164_859_000_000 + 0),
        ] as [(String, Int64)]
    )
    func reads(text: String, microseconds: Int64) { #expect(Instant(iso8601: text)?.microseconds == microseconds) }

    @Test(
        "are read strictly",
        arguments: [
            "", "T12:00", "2024-05-01T", "2024-05-01T12", "2024-05-01T1:00", "2024-05-01T12:0", "2024-05-01 12:00",
            "2024-05-01t12:00", "2024-05-01T12:00z",
            "2024-05-01T24:00", "2024-05-01T23:60", "2024-05-01T23:59:60", "2024-05-01T12:00:00.",
            "2024-05-01T12:00:00,5", "2024-05-01T12:00:00.1234567890",
            "2024-05-01T12:00.5", "2024-05-01T12:00+1", "2024-05-01T12:00+0100", "2024-05-01T12:00+01",
            "2024-05-01T12:00+24:00", "2024-05-01T12:00+01:60",
            "2024-05-01T12:00ZZ", "2024-05-01T12:00Z+01:00", "2024-05-01Z", "2023-02-29T00:00Z",
            "0001-01-01T00:00+00:01", "9999-12-31T23:59-00:01",
            "2024-05-01T12:00Z ", "2024-05-01T12:00−01:00",
        ]
    )
    func refusals(text: String) { #expect(Instant(iso8601: text) == nil) }

    @Test(
        "are read loosely where files and people write them",
        arguments: [
            ("2024-05-01 12:00", "2024-05-01T12:00:00.000Z"), ("2024-05-01t12:00:30z", "2024-05-01T12:00:30.000Z"),
            ("2024-05-01T12:00+0130", "2024-05-01T10:30:00.000Z"), ("2024-05-01T12:00-01", "2024-05-01T13:00:00.000Z"),
            ("2024-05-01T12:00:00,5", "2024-05-01T12:00:00.500Z"), ("2024-05-01", "2024-05-01"),
            ("2024-05-01T12:00:00.12345678901Z", "2024-05-01T12:00:00.123Z"),
            ("2024-05-01T12:00+01:30", "2024-05-01T10:30:00.000Z"),
        ]
    )
    func readsLoosely(text: String, meaning: String) {
        switch CalendarMoment(loose: text) {
        case .day(let date): #expect(date.iso8601 == meaning)
        case .time(let instant): #expect(instant.iso8601 == meaning)
        case nil: Issue.record("\(text) is not read")
        }
    }

    @Test(
        "are not guessed",
        arguments: [
            "", "2024-05-01T", "2024-05-01 ", "2024-05-01T12", "2024-05-01T24:00", "2024-05-01T12:00:00.",
            "2024-05-01T12:00+1", "2024-05-01T12:00+01:", "2024-05-01T12:00+013", "2024-05-01T12:00+24",
            "2024-05-01T12:00+0160", "2024-05-01T12:00zz", "2024-05-01T12:00Z+01", "2023-02-29 00:00",
            "9999-12-31T23:59-00:01", "2024-05-01_12:00", "2024-05-01T12:00 Z",
        ]
    )
    func refusesLoosely(text: String) { #expect(CalendarMoment(loose: text) == nil) }

    @Test("agree with Foundation over four-digit years")
    func agreesWithFoundation() throws {
        var generator = SeededGenerator(seed: RandomRun.seed)
        let style = Date.ISO8601FormatStyle(includingFractionalSeconds: true)
        for _ in 0..<500 {
            // From 1600: before, Foundation's calendar is the Julian one in places.
            let milliseconds = Int64.random(in: -11_676_096_000_000..<253_402_300_800_000, using: &generator)
            let instant = Instant(milliseconds: milliseconds)
            #expect(Instant(iso8601: instant.iso8601) == instant, "seed \(RandomRun.seed)")
            #expect(instant.milliseconds == milliseconds)
            let date = try Date(instant.iso8601, strategy: style)
            #expect(
                abs(date.timeIntervalSince1970 - Double(milliseconds) / 1_000) < 0.002,
                "\(instant), seed \(RandomRun.seed)"
            )
        }
    }

    @Test("know their day")
    func days() throws {
        let day = try #require(CalendarDate(iso8601: "1969-12-31"))
        #expect(CalendarDate(Instant(microseconds: -1)) == day)
        #expect(CalendarDate(Instant(day)) == day)
        #expect(Instant(day).iso8601 == "1969-12-31T00:00:00.000Z")
    }

    @Test("now lies between two readings of Foundation's clock")
    func now() {
        let before = Date().timeIntervalSince1970
        let now = Double(Instant.now().microseconds) / 1e6
        let after = Date().timeIntervalSince1970
        #expect(now >= before - 1 && now <= after + 1)
    }

    @Test("travel as ISO 8601 text")
    func codable() throws {
        let instant = Instant(milliseconds: 1_714_566_896_789)
        #expect(try JSONCoder.value(of: instant) == "2024-05-01T12:34:56.789Z")
        #expect(try JSONCoder.decode(Instant.self, from: "2024-05-01T12:34:56.789Z") == instant)
        #expect(throws: JSONError.self) { try JSONCoder.decode(Instant.self, from: "yesterday") }
        #expect(throws: JSONError.self) { try JSONCoder.decode(CalendarDate.self, from: "2024-02-30") }
    }
}
