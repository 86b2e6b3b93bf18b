internal import CMedia
import VidSystem
import VidTensor

/// The reader's side of videos and sounds: it opens the file that it gets with FFmpeg's libraries, and answers what is asked about it
/// until the next file comes. It runs in a reader only, whose one thread makes one call after another.
package final class MediaService: @unchecked Sendable {
    private var media: OpaquePointer?
    /// Of single pictures, which are never open at the same time as a file of `media`.
    private var still: OpaquePointer?
    private var wants: [vc_media_want] = []

    /// The most frames that may be wanted at a time.
    private static let mostWants = 4 * FrameList.most

    package init() {}

    deinit {
        vc_media_close(media)
        vc_media_close(still)
    }

    /// Loads FFmpeg's libraries and what they load lazily, before the process gives up opening files.
    package static func prepare() { vc_media_prepare() }

    /// FFmpeg's libraries, whose version is such as `libavcodec 59.37.100`. Asking for them loads them.
    package static var library: LazyLibrary {
        LazyLibrary(
            "FFmpeg's libraries", for: "reading videos, sounds and pictures", packages: String(cString: vc_media_packages()),
            load: vc_media_load, readVersion: vc_media_version)
    }

    package var handlers: [UInt32: ReaderService.Handler] {
        [
            MediaMessage.open: { [self] in try open($0, $1) }, MediaMessage.list: { [self] in try list($0, $1) },
            MediaMessage.want: { [self] request, _ in try want(request) }, MediaMessage.decode: { [self] in try decode($0, $1) },
            MediaMessage.listen: { [self] in try listen($0, $1) }, MediaMessage.show: { [self] in try show($0, $1) },
            MediaMessage.follow: { [self] in try follow($0, $1) },
        ]
    }

    private func open(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        close()
        try MediaService.library.require()
        guard let opening = MediaOpening(request.payload), let descriptor = request.descriptor else { throw MediaService.badRequest }
        // The service closes the request's descriptor.
        let own = dup(descriptor)
        guard own >= 0 else { throw VidclassError(.inputOutput, "the file cannot be kept open: \(SystemCall.reason())") }
        let medium = opening.isSound ? VC_MEDIA_SOUND : VC_MEDIA_VIDEO
        try check(vc_media_open(own, Int32(medium.rawValue), Int32(opening.threads), &media), isSound: opening.isSound)
        var found = vc_media_stream()
        vc_media_describe(media, &found)
        try parent.send(MediaMessage.stream, bytes: MediaService.stream(found).bytes)
    }

    private static func stream(_ found: vc_media_stream) -> MediaStream {
        MediaStream(
            container: MediaService.text(found.container), codec: MediaService.text(found.codec), rows: Int(found.rows),
            columns: Int(found.columns), streams: Int(found.streams), chosen: Int(found.chosen),
            rate: found.rate_under > 0 ? Double(found.rate_over) / Double(found.rate_under) : 0, listedFrames: Int(found.listed_frames),
            sampleRate: Int(found.sample_rate), channels: Int(found.channels), seconds: found.seconds.isFinite ? found.seconds : 0,
            secondsAreListed: found.seconds_are_listed != 0)
    }

    private func close() {
        vc_media_close(media)
        media = nil
        wants = []
    }

    private func list(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        guard media != nil, request.payload.count == 1 else { throw MediaService.badRequest }
        var frames = vc_media_frames()
        try check(vc_media_list(media, request.payload[0] == 0 ? 0 : 1, &frames))
        let head = FrameList(
            count: Int(frames.count), over: Int(frames.time_over), under: Int(frames.time_under),
            lastDuration: max(0, Int(frames.last_duration)), isExact: frames.is_exact != 0, isCut: frames.is_cut != 0)
        try parent.send(MediaMessage.frames, bytes: head.bytes)
        try parent.send(
            MediaMessage.times, UnsafeRawBufferPointer(start: frames.times, count: 8 * head.count),
            UnsafeRawBufferPointer(start: frames.keys, count: head.count))
    }

    private func want(_ request: ReaderConnection.Request) throws {
        guard let runs = FrameRun.all(request.payload) else { throw MediaService.badRequest }
        for run in runs {
            guard wants.count + run.count <= MediaService.mostWants else { throw MediaService.badRequest }
            for place in 0..<run.count {
                wants.append(vc_media_want(number: Int64(run.first + place * run.step), picture: Int32(run.picture)))
            }
        }
    }

    /// Passes on to the parent what the libraries deliver to a function in C.
    private final class Delivery {
        private let parent: ReaderConnection
        private var error: (any Error)?

        private init(_ parent: ReaderConnection) { self.parent = parent }

        /// Calls `body` with a context for `send`; rethrows the error with which that failed.
        static func to(_ parent: ReaderConnection, _ body: (UnsafeMutableRawPointer) -> Int32) throws -> Int32 {
            let delivery = Delivery(parent)
            let status = withExtendedLifetime(delivery) { body(Unmanaged.passUnretained(delivery).toOpaque()) }
            if let error = delivery.error { throw error }
            return status
        }

        /// Sends a message; returns 1 if that failed, so that the libraries stop.
        static func send(_ context: UnsafeMutableRawPointer?, _ kind: UInt32, _ payload: UnsafeRawBufferPointer...) -> Int32 {
            guard let context else { return 1 }
            let delivery = Unmanaged<Delivery>.fromOpaque(context).takeUnretainedValue()
            do {
                try delivery.parent.send(kind, payload)
                return 0
            } catch {
                delivery.error = error
                return 1
            }
        }

        /// Asks for the next bytes of a stream, at most `count`, and waits for them; 0 at its end, -1 if that failed.
        static let receiveBytes: vc_media_source = { context, target, count in
            guard let context, let target else { return -1 }
            let delivery = Unmanaged<Delivery>.fromOpaque(context).takeUnretainedValue()
            do {
                try delivery.parent.send(MediaMessage.more, bytes: LittleEndian.bytes(Int64(count)))
                guard let answer = try delivery.parent.next(), answer.kind == MediaMessage.bytes, answer.payload.count <= Int(count) else {
                    throw MediaService.badRequest
                }
                answer.payload.withUnsafeBytes { if let bytes = $0.baseAddress { memcpy(target, bytes, $0.count) } }
                return Int32(answer.payload.count)
            } catch {
                delivery.error = error
                return -1
            }
        }

        /// Sends a frame.
        static let sendFrame: vc_media_receiver = { context, number, picture, pixels, count in
            (LittleEndian.bytes(number) + LittleEndian.bytes(Int64(picture))).withUnsafeBytes {
                send(context, MediaMessage.frame, $0, UnsafeRawBufferPointer(start: pixels, count: Int(count)))
            }
        }
    }

    private func decode(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        guard media != nil, let decoding = MediaDecoding(request.payload) else { throw MediaService.badRequest }
        let wants = wants.sorted { ($0.number, $0.picture) < ($1.number, $1.picture) }
        self.wants = []
        let pictures = decoding.pictures.map { vc_media_picture($0, deinterlaces: decoding.deinterlaces) }
        let status = try Delivery.to(parent) { context in
            vc_media_decode(
                media, wants, Int64(wants.count), pictures, Int32(pictures.count), decoding.isComplete ? 1 : 0, Delivery.sendFrame, context)
        }
        if status == VC_MEDIA_MISMATCH.rawValue { return try parent.send(MediaMessage.mismatch) }
        if status == VC_MEDIA_AGAIN.rawValue { return try parent.send(MediaMessage.again) }
        try check(status)
        var damage = vc_media_damage()
        vc_media_read_damage(media, &damage)
        let found = MediaDamage(
            decodingErrors: Int(damage.decoding_errors), missingFrames: Int(damage.missing_frames), skippedBytes: Int(damage.skipped_bytes))
        try parent.send(MediaMessage.damage, bytes: found.bytes)
    }

    private func listen(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        guard media != nil, let listening = MediaListening(request.payload) else { throw MediaService.badRequest }
        let status = try Delivery.to(parent) { context in
            vc_media_listen(
                media, Int32(listening.sampleRate), Int64(listening.most),
                { context, samples, count in
                    Delivery.send(context, MediaMessage.samples, UnsafeRawBufferPointer(start: samples, count: 4 * Int(count)))
                }, context)
        }
        try check(status, isSound: true)
        var damage = vc_media_damage()
        vc_media_read_damage(media, &damage)
        try parent.send(MediaMessage.damage, bytes: MediaDamage(decodingErrors: Int(damage.decoding_errors)).bytes)
    }

    private func show(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        close()
        try MediaService.library.require()
        guard let showing = PictureShowing(request.payload), let descriptor = request.descriptor else { throw MediaService.badRequest }
        let own = dup(descriptor)
        guard own >= 0 else { throw VidclassError(.inputOutput, "the file cannot be kept open: \(SystemCall.reason())") }
        try check(vc_media_open_picture(own, &still), still)
        var found = vc_media_stream()
        vc_media_describe_picture(still, &found)
        try parent.send(MediaMessage.stream, bytes: MediaService.stream(found).bytes)
        let pictures = showing.sizes.map { vc_media_picture($0, deinterlaces: false) }
        let status = try Delivery.to(parent) { vc_media_show_picture(still, pictures, Int32(pictures.count), Delivery.sendFrame, $0) }
        try check(status, still)
    }

    private func follow(_ request: ReaderConnection.Request, _ parent: ReaderConnection) throws {
        close()
        defer { close() }
        guard let decoding = MediaDecoding(request.payload), decoding.pictures.count == 1 else { throw MediaService.badRequest }
        var picture = vc_media_picture(decoding.pictures[0], deinterlaces: decoding.deinterlaces)
        var end = vc_media_stream_end()
        let status = try Delivery.to(parent) { context in
            let opened = vc_media_open_stream(Delivery.receiveBytes, context, &media)
            guard opened == 0 else { return opened }
            var found = vc_media_stream()
            vc_media_describe(media, &found)
            var (over, under) = (Int64(), Int64())
            vc_media_time_base(media, &over, &under)
            let head = MediaService.stream(found).bytes + StreamClock(over: Int(over), under: Int(under)).bytes
            guard head.withUnsafeBytes({ Delivery.send(context, MediaMessage.stream, $0) }) == 0 else { return VC_MEDIA_STOPPED.rawValue }
            return vc_media_follow(media, &picture, Delivery.sendFrame, context, &end)
        }
        try check(status)
        var damage = vc_media_damage()
        vc_media_read_damage(media, &damage)
        try parent.send(
            MediaMessage.streamEnd,
            bytes: StreamEnd(
                damage: MediaDamage(decodingErrors: Int(damage.decoding_errors), skippedBytes: Int(damage.skipped_bytes)),
                lastDuration: max(0, Int(end.last_duration)), isCut: end.is_cut != 0
            ).bytes)
    }

    private static let badRequest = VidclassError(.other, "a reader got a request that makes no sense")

    /// Throws the error of a failed call for a single picture.
    private func check(_ status: Int32, _ still: OpaquePointer?) throws {
        guard status != 0 else { return }
        let reason = still.map { String(cString: vc_media_error($0)).printable } ?? "out of memory"
        throw VidclassError(.badData, "no picture that FFmpeg can read: \(reason)")
    }

    /// Throws the error of a failed call.
    private func check(_ status: Int32, isSound: Bool = false) throws {
        guard status != 0 else { return }
        let reason = media.map { String(cString: vc_media_error($0)).printable } ?? ""
        switch status {
        case VC_MEDIA_ABSENT.rawValue:
            throw VidclassError(.badData, isSound ? "has no sound (\(reason))" : "has no video stream (\(reason))")
        case VC_MEDIA_REFERS.rawValue:
            throw VidclassError(
                .badData, "not a video itself but \(reason), which names other files or hosts; give vidclass the video files themselves")
        case VC_MEDIA_PICTURE.rawValue:
            throw VidclassError(
                .badData, "a picture (\(reason.uppercased())), not a video; remove it, or give the video that it belongs to")
        case VC_MEDIA_TOO_LARGE.rawValue: throw VidclassError(.badData, reason)
        case VC_MEDIA_MEMORY.rawValue:
            throw VidclassError(
                .badData, "FFmpeg's libraries needed more memory for it than a reader may have; the file is damaged or hostile")
        default: throw VidclassError(.badData, "no \(isSound ? "sound" : "video") that FFmpeg can read: \(reason)")
        }
    }

    private static func text<Bytes>(_ bytes: Bytes) -> String {
        withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    }
}

extension vc_media_picture {
    fileprivate init(_ size: FrameSize, deinterlaces: Bool) {
        self.init(
            channels: Int32(size.channels), rows: Int32(size.rows), columns: Int32(size.columns), deinterlaces: deinterlaces ? 1 : 0)
    }
}
