import Foundation
import Synchronization
import VidSystem

/// A web server on this machine for one test: one request a connection, answered by a closure.
final class LoopbackServer: Sendable {
    struct Request: Sendable {
        let path: String
        /// By lower-case names.
        let headers: [String: String]

        /// Where the bytes that are asked for start.
        var rangeStart: Int? {
            headers["range"].flatMap { $0.hasPrefix("bytes=") && $0.hasSuffix("-") ? Int($0.dropFirst(6).dropLast()) : nil }
        }
    }

    struct Response: Sendable {
        var status = "200 OK"
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        /// Sends only so many bytes of the body, whatever `Content-Length` says.
        var cutAfter: Int?
        /// Sent as it is, in place of all the others.
        var raw: String?
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])

    var url: String { "http://127.0.0.1:\(port)" }
    var requests: [Request] { seen.withLock { $0 } }

    init(_ answer: @escaping @Sendable (Request) -> Response) throws {
        let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(INADDR_LOOPBACK).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
            }
        }
        guard listener >= 0, isListening else { throw POSIXError(.EADDRNOTAVAIL) }
        self.listener = listener
        port = UInt16(bigEndian: address.sin_port)
        Thread.detachNewThread { [weak self] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0 else {
                    // Here and not by whoever ends it: the number of a closed descriptor may be another server's by now.
                    close(listener)
                    return
                }
                if let request = LoopbackServer.read(connection) {
                    self?.seen.withLock { $0.append(request) }
                    LoopbackServer.send(answer(request), to: connection)
                }
                close(connection)
            }
        }
    }

    /// Has the thread's `accept` fail, now or when it comes to it.
    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    /// A port that nobody listens at.
    static func freePort() throws -> UInt16 { try LoopbackServer { _ in Response() }.port }

    private static func read(_ connection: Int32) -> Request? {
        var text: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while !text.suffix(4).elementsEqual("\r\n\r\n".utf8) {
            let count = recv(connection, &block, block.count, 0)
            guard count > 0 else { return nil }
            text += block[..<count]
        }
        let lines = String(decoding: text, as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count == 3 else { return nil }
        let headers = lines.dropFirst().compactMap { line in
            line.firstIndex(of: ":").map { colon in
                (line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces))
            }
        }
        return Request(path: String(words[1]), headers: Dictionary(headers) { first, _ in first })
    }

    private static func send(_ response: Response, to connection: Int32) {
        var headers = ["Content-Length": "\(response.body.count)", "Connection": "close"]
        headers.merge(response.headers) { $1 }
        if headers["Transfer-Encoding"] != nil { headers["Content-Length"] = nil }
        let head = "HTTP/1.1 \(response.status)\r\n" + headers.map { "\($0): \($1)\r\n" }.joined() + "\r\n"
        let body = response.body.prefix(response.cutAfter ?? response.body.count)
        let bytes = response.raw.map { Array($0.utf8) } ?? Array(head.utf8) + body
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes { Glibc.send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            sent += count
        }
    }
}
