import Chat
import Domain
import Testing

@testable import Gateway

@Suite("A socket's protocol, without the socket")
struct SocketSessionTests {
    private static let start = ContinuousClock.now
    private let run = Sample.run

    private func session() -> SocketSession { SocketSession(heartbeatInterval: .seconds(15), at: Self.start) }

    private func text(_ json: JSONValue) -> SocketSession.Event { .text(json.encoded()) }

    @Test("messages are read by their type, with their id")
    func messages() {
        var session = session()
        let run = JSONValue.string(run.description)
        #expect(
            session.handle(text(["type": "run.follow", "id": "a", "runId": run, "after": 7]), at: Self.start)
                == [.perform(ClientMessage(id: "a", .follow(self.run, after: 7)))]
        )
        #expect(
            session.handle(text(["type": "run.follow", "runId": run]), at: Self.start)
                == [.perform(ClientMessage(.follow(self.run, after: 0)))]
        )
        #expect(
            session.handle(text(["type": "run.cancel", "runId": run]), at: Self.start)
                == [.perform(ClientMessage(.cancel(self.run)))]
        )
        #expect(session.handle(text(["type": "ping", "id": "b"]), at: Self.start) == [.reply(.pong(id: "b"))])
        #expect(session.handle(text(["type": "ping"]), at: Self.start) == [.reply(.pong(id: nil))])
        let question: JSONValue = [
            "type": "message.send", "conversationId": .string(Sample.conversation.description), "content": "?",
        ]
        #expect(
            session.handle(text(question), at: Self.start)
                == [.perform(ClientMessage(.send(Sample.conversation, content: "?", parent: nil, settings: .init())))]
        )
    }

    @Test(
        "what is no message is answered with an error, and the socket goes on",
        arguments: [
            "", "{", "[]", "null", #""ping""#, #"{"type":"x"}"#, #"{"type":7}"#, #"{"type":"ping","x":1}"#,
            #"{"type":"run.follow"}"#, #"{"type":"run.follow","runId":"x"}"#, #"{"type":"run.cancel","runId":1}"#,
            #"{"type":"run.follow","runId":"runAnswering00001","after":-1}"#,
            #"{"type":"message.send","conversationId":"cnvLightGases0001","content":""}"#,
            #"{"type":"ping","type":"ping"}"#,
        ]
    )
    func malformed(_ text: String) throws {
        var session = session()
        let actions = session.handle(.text(Array(text.utf8)), at: Self.start)
        guard case .reply(let message)? = actions.first, actions.count == 1 else {
            Issue.record("\(actions)")
            return
        }
        #expect(message.json["type"] == "error")
        #expect(ServerMessage.schema.violations(of: message.json) == [])
        #expect(session.handle(self.text(["type": "ping"]), at: Self.start) == [.reply(.pong(id: nil))])
    }

    @Test("an error names the message it is about, when that much could be read")
    func errorID() {
        var session = session()
        guard case .reply(let message)? = session.handle(text(["type": "x", "id": "q7"]), at: Self.start).first else {
            Issue.record("no reply")
            return
        }
        #expect(message.json["id"] == "q7")
    }

    @Test("a run is followed once at a time, and only so many runs")
    func following() {
        var session = session()
        let (first, second) = (session.follow(run), session.follow(run))
        #expect(first && !second)
        let again = text(["type": "run.follow", "runId": .string(run.description)])
        #expect(session.handle(again, at: Self.start) == [.reply(.error(SocketError.alreadyFollowed, id: nil))])
        session.unfollow(run)
        #expect(session.handle(again, at: Self.start) == [.perform(ClientMessage(.follow(run, after: 0)))])
        for _ in 0..<Limits.socketRuns {
            let isNew = session.follow(.random())
            #expect(isNew)
        }
        #expect(session.handle(again, at: Self.start) == [.reply(.error(SocketError.tooManyRuns, id: nil))])
        let question: JSONValue = [
            "type": "message.send", "conversationId": .string(Sample.conversation.description), "content": "?",
        ]
        // Before it is stored: nobody would see its answer.
        #expect(session.handle(text(question), at: Self.start) == [.reply(.error(SocketError.tooManyRuns, id: nil))])
        let cancel = text(["type": "run.cancel", "runId": .string(run.description)])
        #expect(session.handle(cancel, at: Self.start) == [.perform(ClientMessage(.cancel(run)))])
    }

    @Test("beyond the rate messages are dropped and said so; far beyond it the socket is closed")
    func rate() {
        var session = session()
        let ping = text(["type": "ping"])
        for _ in 0..<Limits.socketMessageBurst {
            #expect(session.handle(ping, at: Self.start) == [.reply(.pong(id: nil))])
        }
        let tooFast: [SocketSession.Action] = [.reply(.error(SocketError.tooFast, id: nil))]
        #expect(session.handle(ping, at: Self.start) == tooFast)
        // One more as soon as its share of a second is over.
        let later = Self.start + .seconds(1) / Limits.socketMessagesPerSecond
        #expect(session.handle(ping, at: later) == [.reply(.pong(id: nil))])
        for _ in 0..<Limits.socketRefusals { #expect(session.handle(ping, at: later) == tooFast) }
        #expect(session.handle(ping, at: later) == [.close(.tooManyMessages)])
        #expect(session.handle(ping, at: later) == [])
    }

    @Test("pings of the protocol share the rate, and are answered with their bytes")
    func pings() {
        var session = session()
        for number in 0..<Limits.socketMessageBurst {
            #expect(session.handle(.ping([UInt8(number)]), at: Self.start) == [.pong([UInt8(number)])])
        }
        #expect(session.handle(.ping([]), at: Self.start) == [])
    }

    @Test("silence is asked after, then the client is taken for dead")
    func silence() {
        var session = session()
        func at(_ seconds: Int) -> ContinuousClock.Instant { Self.start + .seconds(seconds) }
        #expect(session.handle(.tick, at: at(14)) == [])
        #expect(session.handle(.tick, at: at(15)) == [.ping])
        #expect(session.handle(.pong, at: at(16)) == [])
        #expect(session.handle(.tick, at: at(30)) == [])
        #expect(session.handle(.tick, at: at(45)) == [.ping])
        #expect(session.handle(.tick, at: at(60)) == [.ping])
        #expect(session.handle(.tick, at: at(76)) == [.ping])
        #expect(session.handle(.tick, at: at(77)) == [.finish])
    }

    @Test("a close frame is answered with its code, when that is one a client may send")
    func echo() {
        let codes: [(UInt16?, UInt16)] = [
            (nil, 1000), (1000, 1000), (1001, 1001), (3000, 3000), (4999, 4999), (1007, 1007), (0, 1002),
            (999, 1002), (1004, 1002), (1005, 1002), (1006, 1002), (1015, 1002), (2999, 1002), (5000, 1002),
        ]
        for (sent, answered) in codes {
            var session = session()
            let actions = session.handle(.close(sent), at: Self.start)
            guard case .close(let close)? = actions.first else {
                Issue.record("\(actions)")
                continue
            }
            #expect(close.code == answered)
            #expect(actions.last == .finish)
        }
    }

    @Test("after its own close frame the server says nothing more, and waits for the client's")
    func closing() {
        var session = session()
        #expect(session.handle(.end(.goingAway), at: Self.start) == [.close(.goingAway)])
        #expect(session.handle(text(["type": "ping"]), at: Self.start) == [])
        #expect(session.handle(.ping([1]), at: Self.start) == [])
        #expect(session.handle(.tick, at: Self.start + .seconds(20)) == [])
        #expect(session.handle(.end(.failed), at: Self.start) == [])
        #expect(session.handle(.close(1001), at: Self.start) == [.finish])
    }

    @Test("reasons fit a control frame")
    func reasons() {
        let all: [SocketClose] = [
            .normal, .goingAway, .protocolError, .notText, .notUTF8, .tooManyMessages, .unauthenticated, .tooLarge,
            .failed,
        ]
        for close in all { #expect(close.reason.utf8.count <= 123) }
    }

    @Test("every message of both sides fits its schema, and comes back as it was")
    func schemas() throws {
        let messages: [ClientMessage] = [
            ClientMessage(id: "1", .ping), ClientMessage(.cancel(run)), ClientMessage(.follow(run, after: 3)),
            ClientMessage(
                id: "2",
                .send(Sample.conversation, content: "?", parent: Sample.answer, settings: .init(model: "extractive"))
            ),
        ]
        #expect(Set(messages.map(\.kind)) == Set(ClientMessage.Kind.allCases))
        for message in messages {
            let json = try JSONCoder.value(of: message)
            #expect(ClientMessage.schema.violations(of: json) == [])
            #expect(try ClientMessage(parsing: json.encoded()) == message)
        }
        let answers: [ServerMessage] = [
            .accepted(.sample, id: "1"), .following(.sample, after: 2, id: nil), .cancelling(run, id: "3"),
            .pong(id: nil),
            .error(SocketError.tooFast, id: "4", run: run),
        ]
        for answer in answers { #expect(ServerMessage.schema.violations(of: answer.json) == [], "\(answer.json)") }
        #expect(
            Set(answers.compactMap { $0.json["type"]?.stringValue }) == Set(ServerMessage.Kind.allCases.map(\.rawValue))
        )
    }
}
