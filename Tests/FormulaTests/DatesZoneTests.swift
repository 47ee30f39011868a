import Domain
import Testing

@testable import Formula

@Suite("Dates: time zones and languages")
struct DatesZoneTests {
    /// Offsets as IANA has them: summer and winter, half hours, a zone west of the date line, and a change of 2011 in
    /// which Samoa left out 30 December.
    static let zones: [(date: String, zone: String, text: String)] = [
        ("2024-07-01T12:00:00Z", "Europe/Berlin", "2024-07-01 14:00 +02:00"),
        ("2024-01-01T12:00:00Z", "Europe/Berlin", "2024-01-01 13:00 +01:00"),
        ("2024-03-10T06:59:59Z", "America/New_York", "2024-03-10 01:59 -05:00"),
        ("2024-03-10T07:00:00Z", "America/New_York", "2024-03-10 03:00 -04:00"),
        ("2024-01-01T00:00:00Z", "Asia/Kolkata", "2024-01-01 05:30 +05:30"),
        ("2024-01-01T00:00:00Z", "America/St_Johns", "2023-12-31 20:30 -03:30"),
        ("2011-12-30T09:59:00Z", "Pacific/Apia", "2011-12-29 23:59 -10:00"),
        ("2011-12-30T10:00:00Z", "Pacific/Apia", "2011-12-31 00:00 +14:00"),
        ("2050-07-01T12:00:00Z", "Europe/Berlin", "2050-07-01 14:00 +02:00"),
        ("2024-07-01T12:00:00Z", "europe/berlin", "2024-07-01 14:00 +02:00"),
        ("2024-07-01T12:00:00Z", "UTC", "2024-07-01 12:00 +00:00"),
        ("2024-07-01T12:00:00Z", "utc", "2024-07-01 12:00 +00:00"),
    ]

    @Test("formatting follows the zone of SET_TIMEZONE", arguments: zones)
    func zone(date: String, zone: String, text: String) throws {
        let moved = try DateCalls.call("SET_TIMEZONE", DateCalls.date(date), .text(zone))
        #expect(try DateCalls.call("DATETIME_FORMAT", moved, .text("YYYY-MM-DD HH:mm Z")) == .text(text))
    }

    @Test("HOUR, DAY and their like follow it too, arithmetic doesn't")
    func parts() throws {
        let moved = try DateCalls.call(
            "SET_TIMEZONE",
            DateCalls.date("2024-01-01T02:30:00Z"),
            .text("America/New_York")
        )
        #expect(try DateCalls.call("HOUR", moved) == .number(21))
        #expect(try DateCalls.call("DAY", moved) == .number(31))
        #expect(try DateCalls.call("MONTH", moved) == .number(12))
        #expect(try DateCalls.call("YEAR", moved) == .number(2_023))
        #expect(try DateCalls.call("WEEKDAY", moved) == .number(0))
        #expect(try DateCalls.call("DATESTR", moved) == .text("2023-12-31"))
        // A month from 1 January 02:30 UTC, not from 31 December 21:30 there.
        let later = try DateCalls.call("DATEADD", moved, .number(1), .text("month"))
        #expect(try DateCalls.call("DATETIME_FORMAT", later, .text("YYYY-MM-DD HH:mm")) == .text("2024-01-31 21:30"))
        #expect(try DateCalls.call("IS_SAME", moved, DateCalls.date("2024-01-01"), .text("day")) == .boolean(true))
    }

    @Test("an unknown zone is an error", arguments: ["Mars/Olympus", "", "../../etc/passwd", "Europe", "🕰"])
    func unknownZone(name: String) throws {
        #expect(try DateCalls.call("SET_TIMEZONE", DateCalls.date("2024-01-01"), .text(name)) == .error)
    }

    @Test("the request's zone shows moments, and leaves days and arithmetic alone")
    func requestZone() throws {
        let environment = FormulaEnvironment(now: DateCalls.now, timeZone: "America/New_York")
        let moment = DateCalls.date("2024-01-01T02:30:00Z")
        #expect(try DateCalls.call("HOUR", moment, in: environment) == .number(21))
        #expect(try DateCalls.call("DATESTR", moment, in: environment) == .text("2023-12-31"))
        #expect(try DateCalls.call("DATESTR", DateCalls.day("2024-01-01"), in: environment) == .text("2024-01-01"))
        let own = try DateCalls.call("SET_TIMEZONE", moment, .text("Asia/Kolkata"))
        #expect(try DateCalls.call("HOUR", own, in: environment) == .number(8))
        #expect(DateCalls.iso(try DateCalls.call("TODAY", in: environment)) == "2019-03-05")
    }

    /// Names of Unicode's locale data, in the forms that moment.js has too.
    static let languages: [(locale: String, format: String, text: String)] = [
        ("fr", "dddd D MMMM YYYY", "mardi 5 mars 2019"), ("fr", "L LT", "05/03/2019 07:08"),
        ("de", "dddd, D. MMMM", "Dienstag, 5. März"), ("de", "LL", "5. März 2019"), ("de", "Do", "5."),
        ("de", "L", "05.03.2019"), ("de", "LLLL", "Dienstag, 5. März 2019 07:08"),
        ("es", "LL", "5 de marzo de 2019"), ("es", "MMMM", "marzo"), ("it", "dddd Do", "martedì 5º"),
        ("nl", "Do MMMM", "5de maart"), ("sv", "L", "2019-03-05"),
        ("ru", "D MMMM", "5 марта"), ("ru", "MMMM", "март"),
        ("ja", "LL dddd A", "2019年3月5日 火曜日 午前"), ("zh-cn", "MMMM dddd", "三月 星期二"),
        ("pt-br", "MMMM dddd", "março terça-feira"), ("en-gb", "L LL", "05/03/2019 5 March 2019"),
        // Weeks begin on Monday in France, so that `e` is one less than in English.
        ("fr", "e w gggg", "1 10 2019"), ("en", "e w gggg", "2 10 2019"),
        // Nobody knows it: English.
        ("tlh", "dddd LL", "Tuesday March 5, 2019"), ("", "dddd", "Tuesday"), ("-", "dddd", "Tuesday"),
        ("FR", "MMMM", "mars"),
    ]

    @Test("names and forms of other languages", arguments: languages)
    func language(locale: String, format: String, text: String) throws {
        let moved = try DateCalls.call("SET_LOCALE", .date(FormulaDate(DateCalls.now)), .text(locale))
        #expect(try DateCalls.call("DATETIME_FORMAT", moved, .text(format)) == .text(text))
    }

    @Test("zone and language stay through arithmetic")
    func carried() throws {
        var value = try DateCalls.call("SET_LOCALE", DateCalls.date("2024-02-29T23:00:00Z"), .text("fr"))
        value = try DateCalls.call("SET_TIMEZONE", value, .text("Europe/Paris"))
        value = try DateCalls.call("DATEADD", value, .number(1), .text("year"))
        #expect(try DateCalls.call("DATETIME_FORMAT", value, .text("D MMMM YYYY HH[h]")) == .text("1 mars 2025 00h"))
    }

    @Test("many threads ask for zones, languages and formats at once")
    func threads() async {
        let zones = Self.zones
        await withTaskGroup(of: Bool.self) { group in
            for worker in 0..<4 {
                group.addTask {
                    (0..<200).allSatisfy { round in
                        let (date, zone, text) = zones[(round + worker) % zones.count]
                        let value = FormulaDate(
                            DateCalls.moment(date),
                            timeZone: zone,
                            locale: round % 2 == 0 ? "da" : nil
                        )
                        return DateFormat.compiled("YYYY-MM-DD HH:mm Z")?.text(of: value) == text
                    }
                }
            }
            for await isRight in group { #expect(isRight) }
        }
    }
}
