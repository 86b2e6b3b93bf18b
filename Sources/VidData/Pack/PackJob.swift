import VidSystem
import VidTensor

/// Turns a tree of videos, `.npy` and `.bin` files into the same tree of `.bin` files.
///
/// A file that is packed already is passed over: its `.bin` is there, whole (clip files appear only when they are), is no
/// older than its source, and has the element type, channels, rows, columns, number of frames and frame rate that packing
/// would give it. So an interrupted job goes on where it was stopped, and another choice of parameters packs anew.
package struct PackJob: Sendable {
    package struct Options: Sendable {
        /// Which frames are taken; clips with fewer are stored with what they have.
        package var selection = FrameSelection.uniform(16)
        /// Of videos, 224 if nil. Frames of `.npy` and `.bin` files keep their size, and must have this one if it is given.
        package var rows: Int?
        package var columns: Int?
        /// Of videos: 1 (grey) or 3 (RGB).
        package var channels = 3
        /// Files worked on at a time.
        package var concurrency = Workers.processorCount

        package static let defaultSide = 224

        package init() {}
    }

    /// How far the job is.
    package struct Progress: Sendable {
        package let total: Int
        package var packed = 0
        package var passedOver = 0
        package var failed = 0
        /// The source that was finished last, relative to the source folder.
        package var last = ""

        package var done: Int { packed + passedOver + failed }
    }

    package struct Failure: Sendable, Equatable {
        /// Relative to the source folder.
        package let source: String
        package let error: VidclassError
    }

    package struct Report: Sendable, Equatable {
        package var packed: [String] = []
        /// Packed already.
        package var passedOver: [String] = []
        package var failures: [Failure] = []
        /// Files that are no clips, relative to the source folder.
        package var otherFiles: [String] = []
    }

    /// One file and where it goes.
    package struct Item: Sendable, Equatable {
        /// Relative to the source folder; the file's name where the source is a file.
        package let id: String
        package let source: String
        package let destination: String
    }

    package let source: String
    package let destination: String
    package let options: Options
    private let finder: FFmpegFinder

    package init(source: String, destination: String, options: Options = Options(), finder: FFmpegFinder = FFmpegFinder()) throws {
        for (name, value, range) in [
            ("frames", options.selection.frames, 1...ClipShape.maximumFrames), ("rows", options.rows, 1...ClipShape.maximumSide),
            ("columns", options.columns, 1...ClipShape.maximumSide),
        ] {
            if let value, !range.contains(value) {
                throw VidclassError(.usage, "\(name): expected \(range.lowerBound) to \(range.upperBound), found \(value)")
            }
        }
        if let rate = options.selection.framesPerSecond, !(rate > 0 && rate.isFinite) {
            throw VidclassError(.usage, "frames per second: expected more than 0, found \(rate)")
        }
        guard options.channels == 1 || options.channels == 3 else {
            throw VidclassError(.usage, "channels: expected 1 or 3, found \(options.channels)")
        }
        self.source = source
        self.destination = destination
        self.options = options
        self.finder = finder
    }

    /// Packs everything that is not packed yet. A file that fails is noted and the rest done.
    ///
    /// Throws where nothing can be done at all: no source, no clips in it, no ffmpeg for videos, no place to write.
    package func run(progress: @Sendable (Progress) -> Void = { _ in }) async throws -> Report {
        let (items, otherFiles) = try PackTree.items(source: source, destination: destination)
        guard !items.isEmpty else {
            throw VidclassError.file(source, "no videos, .npy or .bin files found")
        }
        if items.contains(where: { ClipFormat(path: $0.source) == .video }) { _ = try await finder.ffmpeg() }
        for folder in Set(items.map { PathText.parent($0.destination) }).sorted(by: PathText.precedes) { try Folder.make(folder) }

        var state = Progress(total: items.count)
        var outcomes: [Int: Result<Bool, VidclassError>] = [:]
        progress(state)
        try await withThrowingTaskGroup(of: (Int, Result<Bool, VidclassError>).self) { group in
            func finish(_ number: Int, _ outcome: Result<Bool, VidclassError>) {
                outcomes[number] = outcome
                state.last = items[number].id
                switch outcome {
                case .success(true): state.packed += 1
                case .success(false): state.passedOver += 1
                case .failure: state.failed += 1
                }
                progress(state)
            }
            for (number, item) in items.enumerated() {
                if number >= max(1, options.concurrency), let (number, outcome) = try await group.next() { finish(number, outcome) }
                group.addTask {
                    try Task.checkCancellation()
                    do {
                        return (number, .success(try await pack(item)))
                    } catch let error as VidclassError {
                        return (number, .failure(error))
                    }
                }
            }
            while let (number, outcome) = try await group.next() { finish(number, outcome) }
        }

        var report = Report(otherFiles: otherFiles)
        for (number, item) in items.enumerated() {
            switch outcomes[number] {
            case .success(true)?: report.packed.append(item.id)
            case .success(false)?: report.passedOver.append(item.id)
            case .failure(let error)?: report.failures.append(Failure(source: item.id, error: error))
            case nil: break
            }
        }
        return report
    }

    /// Packs one file; false where it was packed already.
    private func pack(_ item: Item) async throws -> Bool {
        switch ClipFormat(path: item.source) {
        case .bin?: try pack(ClipFile.open(item.source), item)
        case .npy?: try pack(NumpyFile.open(item.source), item)
        case .video?: try await packVideo(item)
        case .sound?:
            throw VidclassError.file(
                item.source,
                "is sound, which is not packed: its spectrogram belongs to a config (data.audio); train on the sound files themselves")
        case nil: throw VidclassError.file(item.source, "is no clip")
        }
    }

    private func packVideo(_ item: Item) async throws -> Bool {
        let rows = options.rows ?? Options.defaultSide
        let columns = options.columns ?? Options.defaultSide
        let decoder = VideoDecoder(ffmpeg: try await finder.ffmpeg(), channels: options.channels, rows: rows, columns: columns)
        let plan = try await decoder.plan(item.source, options.selection)
        let shape = ClipShape(frames: plan.indices.count, channels: options.channels, rows: rows, columns: columns)
        if isPacked(item, shape, .uint8, plan.framesPerSecond) { return false }
        func writer() throws -> ClipFileWriter {
            try ClipFileWriter(
                item.destination, element: .uint8, channels: options.channels, rows: rows, columns: columns,
                framesPerSecond: plan.framesPerSecond)
        }
        var current = try writer()
        let made = try await decoder.stream(item.source, plan) {
            current = try writer()
        } consume: { frame in
            try current.append(frame)
        }
        try current.commit(framesPerSecond: made.framesPerSecond)
        return true
    }

    private func pack(_ file: ArrayFile, _ item: Item) throws -> Bool {
        for (name, wanted, found) in [("rows", options.rows, file.shape.rows), ("columns", options.columns, file.shape.columns)] {
            guard wanted ?? found == found else {
                throw VidclassError.file(
                    item.source,
                    "expected \(wanted ?? 0) \(name), found \(found): only videos are resized; resize the array before saving it")
            }
        }
        let rate = Double(file.framesPerSecond)
        let indices = try options.selection.indices(of: file.shape.frames, sourceRate: rate, path: item.source)
        var shape = file.shape
        shape.frames = indices.count
        let storedRate =
            indices.count == file.shape.frames ? file.framesPerSecond : Float(rate * Double(indices.count) / Double(file.shape.frames))
        if isPacked(item, shape, file.element, storedRate) { return false }
        let clip = try file.read(frames: indices)
        try ClipFile.write(Clip(shape: clip.shape, pixels: clip.pixels, framesPerSecond: storedRate), to: item.destination)
        return true
    }

    /// Whether the destination is what packing would make; anything wrong with it means no.
    private func isPacked(_ item: Item, _ shape: ClipShape, _ element: ClipElement, _ rate: Float) -> Bool {
        guard let source = try? SystemCall.status(item.source), let destination = try? SystemCall.status(item.destination),
            destination.modified >= source.modified, let header = try? ClipFile.header(item.destination)
        else { return false }
        return header.shape == shape && header.element == element && header.framesPerSecond == rate
    }
}
