import Foundation
import Synchronization
import Testing
import VidCheckpoint
import VidConfig
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct WeightsDownloadTests {
    private let folder: TestFolder
    private let library: WeightsLibrary
    private let content = (0..<300_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
    private let source: WeightsSource

    init() throws {
        folder = try TestFolder()
        library = WeightsLibrary(environment: ["XDG_CACHE_HOME": folder.path, "HOME": folder.path], hdf5: .inThisProcess)
        var md5 = MD5()
        content.withUnsafeBytes { md5.update($0) }
        source = WeightsSource(
            name: "vgg16", architecture: .vgg16, fileName: "weights.h5", path: "vgg16/weights.h5", md5: md5.digest().hexadecimal,
            maximumBytes: 400_000)
    }

    private var target: String { library.weightsFolder + "/weights.h5" }
    private var part: String { target + ".part" }

    private func download(_ url: String) throws -> WeightsDownload {
        try WeightsDownload(library, environment: ["VIDCLASS_WEIGHTS_URL": url])
    }

    private func fetch(_ server: LoopbackServer) async throws -> String {
        defer { withExtendedLifetime(server) {} }
        return try await download(server.url + "/base").fetch(source)
    }

    /// The error of a fetch.
    ///
    /// The server lives until the answer is there: a port that is given back early may serve another test.
    private func failure(_ server: LoopbackServer) async -> VidclassError? {
        defer { withExtendedLifetime(server) {} }
        return await failure(server.url)
    }

    private func failure(_ url: String) async -> VidclassError? {
        do {
            _ = try await download(url).fetch(source)
            return nil
        } catch {
            return error as? VidclassError
        }
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }

    /// Answers as a file server does: from where the range starts.
    private static func serve(_ content: [UInt8], _ request: LoopbackServer.Request) -> LoopbackServer.Response {
        guard let start = request.rangeStart else { return .init(body: content) }
        guard start < content.count else {
            return .init(status: "416 Range Not Satisfiable", headers: ["Content-Range": "bytes */\(content.count)"])
        }
        let range = "bytes \(start)-\(content.count - 1)/\(content.count)"
        return .init(status: "206 Partial Content", headers: ["Content-Range": range], body: Array(content[start...]))
    }

    @Test func fetchesTheWhole() async throws {
        let server = try LoopbackServer { [content] in WeightsDownloadTests.serve(content, $0) }
        let last = Mutex((received: 0, total: 0))
        let path = try await download(server.url + "/base").fetch(source) { received, total in
            last.withLock { $0 = (received, total ?? -1) }
        }
        #expect(path == target)
        #expect(try bytes(of: path) == content)
        #expect(!exists(part))
        #expect(server.requests.map(\.path) == ["/base/vgg16/weights.h5"])
        #expect(last.withLock { $0 } == (content.count, content.count))
        // Once there, it is not fetched again.
        #expect(try await fetch(server) == target)
        #expect(server.requests.count == 1)
    }

    @Test func goesOnWhereItWasCutOff() async throws {
        let isFirst = Mutex(true)
        let server = try LoopbackServer { [content] request in
            var response = WeightsDownloadTests.serve(content, request)
            if isFirst.withLock({ first in
                defer { first = false }
                return first
            }) {
                response.cutAfter = 100_000
            }
            return response
        }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        #expect(
            error?.message.contains("100000 bytes are kept; run the command again to resume") == true, "\(error?.message ?? "fetched")")
        #expect(!exists(target))
        #expect(try bytes(of: part) == Array(content[..<100_000]))
        #expect(try await fetch(server) == target)
        #expect(server.requests.map(\.rangeStart) == [nil, 100_000])
        #expect(try bytes(of: target) == content)
        #expect(!exists(part))
    }

    /// A server that knows no ranges sends all of it again.
    @Test func startsAgainWhereTheServerCannotGoOn() async throws {
        try library.makePart(part, Array(content[..<5000]))
        let server = try LoopbackServer { [content] _ in .init(body: content) }
        #expect(try await fetch(server) == target)
        #expect(server.requests.map(\.rangeStart) == [5000])
        #expect(try bytes(of: target) == content)
    }

    /// A partial file longer than the file is thrown away.
    @Test func startsAgainWhereThePartIsTooLong() async throws {
        try library.makePart(part, content + [1])
        let server = try LoopbackServer { [content] in WeightsDownloadTests.serve(content, $0) }
        #expect(try await fetch(server) == target)
        #expect(server.requests.map(\.rangeStart) == [content.count + 1, nil])
    }

    /// Killed between the last byte and the renaming.
    @Test func takesAPartThatIsWhole() async throws {
        try library.makePart(part, content)
        let server = try LoopbackServer { _ in .init(status: "500 Internal Server Error") }
        #expect(try await fetch(server) == target)
        #expect(server.requests.isEmpty)
    }

    @Test func refusesTheWrongHash() async throws {
        let server = try LoopbackServer { [content] _ in .init(body: content.reversed()) }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("but the published one is \(source.md5 ?? "")") == true)
        #expect(!exists(target) && !exists(part))
    }

    /// A part of another file is found out by the hash of the whole.
    @Test func refusesAPartOfAnotherFile() async throws {
        try library.makePart(part, [UInt8](repeating: 1, count: 1000))
        let server = try LoopbackServer { [content] in WeightsDownloadTests.serve(content, $0) }
        #expect(await failure(server)?.message.contains("it was discarded") == true)
        #expect(try await fetch(server) == target)
    }

    @Test func namesTheServersError() async throws {
        let server = try LoopbackServer { _ in .init(status: "404 Not Found", body: Array("nothing".utf8)) }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("the server answers 404") == true, "\(error?.message ?? "fetched")")
        #expect(!exists(target))
        #expect(try bytes(of: part).isEmpty)
    }

    @Test func saysWhenNobodyAnswers() async throws {
        let error = await failure("http://127.0.0.1:\(try LoopbackServer.freePort())")
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("\n") == false)
        #expect(!exists(target))
    }

    @Test func stopsAtTheBound() async throws {
        let server = try LoopbackServer { _ in .init(body: [UInt8](repeating: 0, count: 400_001)) }
        #expect(await failure(server)?.message.contains("at most 400000 are accepted") == true)
        // Without a length there is nothing to judge before the bytes come.
        let unending = try LoopbackServer { _ in
            .init(
                headers: ["Transfer-Encoding": "chunked"],
                body: Array("F4240\r\n".utf8) + [UInt8](repeating: 0, count: 1_000_000))
        }
        #expect(await failure(unending)?.message.contains("at most 400000 are accepted") == true)
        #expect(!exists(target))
    }

    @Test func followsARedirectToTheSameScheme() async throws {
        let server = try LoopbackServer { [content] request in
            request.path == "/moved" ? .init(body: content) : .init(status: "302 Found", headers: ["Location": "/moved"])
        }
        #expect(try await fetch(server) == target)
        #expect(server.requests.map(\.path) == ["/base/vgg16/weights.h5", "/moved"])
    }

    /// What a server may send that is no good: an error each, and no trap in the library that speaks HTTP.
    @Test(arguments: [
        "", "\r\n", "nonsense\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n",
        "HTTP/1.1 999 What\r\n\r\n", "HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 304 Not Modified\r\n\r\n",
        "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 7-8/9\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd",
        "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
    ])
    func refusesNonsense(_ answer: String) async throws {
        let server = try LoopbackServer { _ in .init(raw: answer) }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("\n") == false)
        #expect(!exists(target))
    }

    @Test(arguments: ["ftp://127.0.0.1/x", "https://127.0.0.1:1/x"])
    func refusesARedirectToAnotherScheme(_ location: String) async throws {
        let server = try LoopbackServer { _ in .init(status: "302 Found", headers: ["Location": location], body: [1, 2, 3]) }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        #expect(error?.message.contains("redirects to another scheme") == true, "\(error?.message ?? "fetched")")
        #expect(!exists(target))
        #expect(try bytes(of: part).isEmpty)
    }

    @Test(arguments: ["http://example.com/x", "ftp://127.0.0.1/x", "file:///tmp", "weights", "http://127.0.0.1.example.com"])
    func refusesAServerThatIsNotSafe(_ url: String) async throws {
        #expect(await failure(url)?.kind == .usage)
    }

    @Test func withoutTheVariableItIsKerasOverHTTPS() throws {
        let server = try WeightsDownload(library, environment: [:]).server.absoluteString
        #expect(server == "https://storage.googleapis.com/tensorflow/keras-applications")
        #expect(WeightsSource.named("vgg16")?.md5 == "6d6bbae143d832006294945121d1f1fc")
        #expect(WeightsSource.named("vgg19")?.path == "vgg19/vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5")
        #expect(WeightsSource.named("vgg11") == nil)
        #expect(WeightsSource.named("resnet50_keras")?.path == "resnet/resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5")
        #expect(WeightsSource.named("resnet50_keras")?.md5 == "4d473c1dd8becc155b73f8504c6f6626")
        let mobile = WeightsSource.named("mobilenet_v2_keras")
        #expect(mobile?.path == "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5" && mobile?.md5 == nil)
        #expect(mobile?.nameWithTop == "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5")
        #expect(WeightsSource.named("vgg16")?.nameWithTop == "vgg16_weights_tf_dim_ordering_tf_kernels.h5")
        #expect(WeightsSource.all.allSatisfy { $0.name == $0.architecture.name })
    }

    /// Where no sum is published, the file must hold the network.
    @Test func withoutASumItsTensorsAreChecked() async throws {
        func source(_ architecture: Architecture) -> WeightsSource {
            WeightsSource(
                name: "test", architecture: architecture, fileName: "weights.h5", path: "weights.h5", md5: nil, maximumBytes: 400_000)
        }
        let right = source(.blocks([[2, 3], [4]]))
        let good = try bytes(of: fixture("keras1.h5"))
        for (content, wanted, words) in [
            (good, source(.vgg16), "holds the weights of blocks-2-3+4, not of test"),
            (Array(good.dropLast(3000)), right, "cannot be used ("),
            (content, right, "cannot be used ("),
        ] {
            let server = try LoopbackServer { [content] in WeightsDownloadTests.serve(content, $0) }
            var error: VidclassError?
            do { _ = try await download(server.url).fetch(wanted) } catch let found as VidclassError { error = found }
            #expect(error?.kind == .inputOutput && error?.message.contains(words) == true, "\(error?.message ?? "fetched")")
            #expect(error?.message.contains(".part") == false && !exists(target) && !exists(part), "\(error?.message ?? "fetched")")
        }
        let server = try LoopbackServer { WeightsDownloadTests.serve(good, $0) }
        for _ in 0..<2 { #expect(try await download(server.url).fetch(right) == target) }
        #expect(server.requests.count == 1)
        #expect(try bytes(of: target) == good)
    }

    /// Every network's weights are downloaded, or published for Python.
    @Test(arguments: NamedArchitecture.allCases) func everyNetworkHasAWay(_ network: NamedArchitecture) {
        #expect((WeightsSource.named(network.rawValue) == nil) == (PythonWeights(network) != nil))
    }

    @Test func oneProcessAtATime() async throws {
        try library.makePart(part, [])
        let descriptor = open(part, O_RDWR)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        let server = try LoopbackServer { [content] _ in .init(body: content) }
        #expect(await failure(server)?.kind == .busy)
        #expect(server.requests.isEmpty)
    }

    @Test func aFolderThatCannotBeMadeIsNamed() async throws {
        _ = try folder.write("vidclass", [1])
        let server = try LoopbackServer { [content] _ in .init(body: content) }
        let error = await failure(server)
        #expect(error?.kind == .inputOutput)
        let start = "\(folder.path)/vidclass/weights: cannot make this folder"
        #expect(error?.message.hasPrefix(start) == true, "\(error?.message ?? "fetched")")
    }
}

extension WeightsLibrary {
    /// Leaves `bytes` as what an earlier try has fetched.
    fileprivate func makePart(_ path: String, _ bytes: [UInt8]) throws {
        try FileManager.default.createDirectory(atPath: weightsFolder, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: path))
    }
}
