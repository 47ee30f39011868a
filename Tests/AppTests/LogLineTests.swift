import Testing

@testable import App

@Suite("Log lines")
struct LogLineTests {
    @Test("AUD-04: a line on a terminal stays one line, and commands nothing")
    func plain() {
        #expect(
            StandardErrorLogHandler.plain("a\nb\r\u{1B}[2J\u{85}\u{2028}\u{202E}é")
                == #"a\u{A}b\u{D}\u{1B}[2J\u{85}\u{2028}\u{202E}é"#
        )
        #expect(StandardErrorLogHandler.plain("plain text, äöü 李") == "plain text, äöü 李")
    }
}
