import Access
import App
import ArgumentParser
import Domain
import Embeddings
import Foundation

/// `serve`: the page, the API and the indexer.
struct Serve: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Serve the page and the HTTP API.")

    @OptionGroup var shared: SharedOptions
    @OptionGroup var writing: WriteOptions

    @Option(help: "Address and port (default: 127.0.0.1:8080; port 0 takes a free one).")
    var bind: String?

    @Option(help: "Address and port of /metrics, or off (default: 127.0.0.1:8081).")
    var adminBind: String?

    @Option(help: "Web pages that may call MCP and chat beside this server's own, between commas.")
    var allowedOrigins: String?

    @Flag(help: "Print one JSON line when ready: {\"url\",\"key\"}; key only at the first start.")
    var json = false

    @OptionGroup var fixtures: FixtureOptions

    func validate() throws { try fixtures.checkNoData(shared) }

    func run() async throws {
        let scratch = try fixtures.scratchDirectory()
        defer { scratch?.remove() }
        var settings: [Setting: String?] = [.bind: bind, .adminBind: adminBind, .allowedOrigins: allowedOrigins]
        if let scratch { settings.merge(scratch.settings) { $1 } }
        let configuration = try shared.configuration(adding: settings)
        try configuration.checkSafety()
        let services = try await Services.open(configuration, logger: .standardError(configuration))
        do {
            let search = try await services.openSearch(writes: writing.mode)
            let server = try Server(services, search, try await services.openChat(search), fixtures: fixtures.mode) {
                port in
                await announce(services, port: port ?? configuration.bind.port)
            }
            // Unstructured, as nothing waits for it; it ends with the server, if not before.
            let settling = ProgramPages.releaseSoon()
            defer { settling.cancel() }
            try await server.run()
            search.pool.close()
        } catch {
            await services.close()
            throw error
        }
        await services.close()
    }

    /// The first key is made only now, when the page can be opened with it.
    private func announce(_ services: Services, port: Int) async {
        var address = services.configuration.bind
        address.port = port
        let url = "\(services.configuration.edge.tls == nil ? "http" : "https")://\(address)"
        do {
            let issued = try await services.access.issueFirstKey(services.first)
            if json {
                var line: JSONObject = ["url": .string(url)]
                if let issued { line["key"] = .string(issued.text) }
                Console.writeLine(.object(line))
            } else {
                Console.write(Welcome(url: url, key: issued?.text, services: services).text)
            }
        } catch {
            Console.writeError("error: the first key could not be made: \(error)\n")
        }
    }
}

/// What a newcomer sees when the server is up.
private struct Welcome {
    let url: String
    let key: String?
    let services: Services

    var text: String {
        let shown = key ?? "$KEY"
        let example = """
            curl -s \(url)/api/v1/search -H 'Authorization: Bearer \(shown)' \\
                   -H 'Content-Type: application/json' -d '{"query":"the gas that makes party balloons float"}'
            """
        return """

              Page     \(url)
              Chat     \(url)/#/chat\(modelLine)
              Key      \(keyLine)
              Try      \(example)

              An AI client connects over stdio; put this into its configuration:

              {"mcpServers":{"airtable":{"command":"\(binary)","args":["mcp","--data","\(services.configuration.dataDirectory)"]}}}

              or over HTTP, at \(url)/mcp, with the header Authorization: Bearer \(shown)

              Stop with Ctrl-C.


            """
    }

    private var modelLine: String {
        let models = services.configuration.models
        let isChosen = models.chatModel != nil || models.chatScript != nil
        guard !isChosen, models.geminiKey == nil, models.openAIBaseURL == nil else { return "" }
        return "\n           Answers are passages of your records; GEMINI_API_KEY or OPENAI_BASE_URL sets a model."
    }

    private var keyLine: String {
        if let key { return "\(key)\n           Keep it: it is shown only now." }
        let when =
            services.first.firstKeyTime.map { " on \($0.iso8601.prefix(16).replacing("T", with: " ")) UTC" } ?? ""
        return "shown when the server first started\(when); another one: \(binary) key create --data "
            + services.configuration.dataDirectory
    }

    private var binary: String {
        URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().path
    }
}
