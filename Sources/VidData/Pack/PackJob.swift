import VidSystem
import VidTensor

/// Converts a tree of videos, folders of pictures, `.npy` and `.bin` files to the same tree of `.bin` files.
///
/// A file that is already packed is skipped: its `.bin` exists (clip files only appear complete), is not older than its source,
/// and has the element type, channels, rows, columns, number of frames and frame rate that packing would give it. So an
/// interrupted job resumes, and other options pack again.
package struct PackJob: Sendable {
    package struct Options: Sendable {
        /// The frames to keep; shorter clips are stored with all they have.
        package var selection = FrameSelection.uniform(16)
        /// The size of videos, 224 if nil. Frames of `.npy` and `.bin` files keep their size; if a size is given, they must have it.
        package var rows: Int?
        package var columns: Int?
        /// The channels of videos: 1 (grey) or 3 (RGB).
        package var channels = 3
        /// The number of files packed at a time.
        package var concurrency = Workers.processorCount

        package static let defaultSide = 224

        package init() {}
    }

    package struct Progress: Sendable {
        package let total: Int
        package var done = 0
    }

    package struct Failure: Sendable, Equatable {
        /// The path relative to the source folder.
        package let source: String
        package let error: VidclassError
    }

    /// The files of a job by their paths relative to the source folder.
    package struct Report: Sendable, Equatable {
        package var packed: [String] = []
        /// Files that were packed before.
        package var skipped: [String] = []
        package var failures: [Failure] = []
        /// Files that are not clips.
        package var otherFiles: [String] = []
    }

    package let source: String
    package let destination: String
    package let options: Options
    private let files: MediaFiles

    package init(source: String, destination: String, options: Options = Options(), files: MediaFiles = MediaFiles()) throws {
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
        self.files = files
    }

    /// Packs everything that is not packed yet. Files that fail are listed in the report.
    ///
    /// Throws only if nothing can be packed at all: no source, no clips in it, no place to write.
    package func run(progress: @Sendable (Progress) -> Void = { _ in }) async throws -> Report {
        let (items, otherFiles) = try PackItem.all(source: source, destination: destination)
        guard !items.isEmpty else {
            throw VidclassError.file(source, "found no videos, .npy or .bin files")
        }
        for folder in Set(items.map { PathText.parent($0.destination) }).sorted(by: PathText.precedes) { try Folder.make(folder) }

        var state = Progress(total: items.count)
        var outcomes: [Int: Result<Bool, VidclassError>] = [:]
        progress(state)
        try await runConcurrently(items.count, limit: options.concurrency) { number in
            do {
                return Result<Bool, VidclassError>.success(try await pack(items[number]))
            } catch let error as VidclassError {
                return .failure(error)
            }
        } finish: { number, outcome in
            outcomes[number] = outcome
            state.done += 1
            progress(state)
        }

        var report = Report(otherFiles: otherFiles)
        for (number, item) in items.enumerated() {
            switch outcomes[number] {
            case .success(true)?: report.packed.append(item.id)
            case .success(false)?: report.skipped.append(item.id)
            case .failure(let error)?: report.failures.append(Failure(source: item.id, error: error))
            case nil: break
            }
        }
        return report
    }

    /// Packs one file; returns false if it was packed before.
    private func pack(_ item: PackItem) async throws -> Bool {
        let file = ClipPath.file(item.source)
        switch try ClipFormat(existing: file) {
        case .bin: return try pack(ClipFile.open(file), item)
        case .npy: return try pack(NumpyFile.open(file), item)
        case .video, .pictures: return try await packVideo(item)
        case .sound:
            throw VidclassError.file(
                item.source, "cannot pack sound, because its spectrogram depends on the config (data.audio); train on the sound files")
        }
    }

    private func packVideo(_ item: PackItem) async throws -> Bool {
        let rows = options.rows ?? Options.defaultSide
        let columns = options.columns ?? Options.defaultSide
        let size = FrameSize(channels: options.channels, rows: rows, columns: columns)
        var current: ClipFileWriter?
        // The chosen frames that are not written yet.
        var rest: ArraySlice<Int> = []
        var files = files
        // The frames of a folder have this rate, so that none is left out.
        files.folderRate = files.folderRate ?? options.selection.framesPerSecond
        try await VideoDecoder(files: files).decode(item.source, [size]) { video in
            let frames = try ClipFrames(ClipPath(item.source), of: video.times)
            let (places, rate) = try options.selection.choice(of: frames.times, path: item.source)
            let chosen = places.map { frames.range.lowerBound + $0 }
            let shape = ClipShape(frames: chosen.count, channels: options.channels, rows: rows, columns: columns)
            if isPacked(item, shape, .uint8, Float(rate)) { return nil }
            current = try ClipFileWriter(
                item.destination, element: .uint8, channels: options.channels, rows: rows, columns: columns, framesPerSecond: Float(rate))
            rest = chosen[...]
            return VideoDecoder.Choice([FrameSampling.unique(chosen)])
        } consume: { _, _, frame in
            let copies = rest.prefix { $0 == rest.first }
            for _ in copies { try current?.append(frame) }
            rest = rest.dropFirst(copies.count)
        }
        try current?.commit()
        return current != nil
    }

    private func pack(_ file: ArrayFile, _ item: PackItem) throws -> Bool {
        if file.isVectors {
            throw VidclassError.file(item.source, "cannot pack vectors, because clip files hold pixels; train on the .npy files")
        }
        for (name, wanted, found) in [("rows", options.rows, file.shape.rows), ("columns", options.columns, file.shape.columns)] {
            if let wanted, wanted != found {
                throw VidclassError.file(
                    item.source, "expected \(wanted) \(name), found \(found); only videos are resized, so resize the array before saving it"
                )
            }
        }
        let frames = try ClipFrames(ClipPath(item.source), of: file.times)
        let (indices, rate) = try options.selection.choice(of: frames.times, path: item.source)
        var shape = file.shape
        shape.frames = indices.count
        let storedRate = Float(rate)
        if isPacked(item, shape, file.element, storedRate) { return false }
        let clip = try file.read(frames: indices.map { frames.range.lowerBound + $0 }, within: frames.range)
        try ClipFile.write(Clip(shape: clip.shape, pixels: clip.pixels, framesPerSecond: storedRate), to: item.destination)
        return true
    }

    /// Returns whether the destination is what packing would write; false if anything is wrong with it.
    private func isPacked(_ item: PackItem, _ shape: ClipShape, _ element: ClipElement, _ rate: Float) -> Bool {
        // The size does not tell which part of a video a file holds.
        guard ClipPath(item.source).segment == nil, let source = try? FileStatus(ofClip: item.source),
            let destination = try? SystemCall.status(item.destination),
            destination.modified >= source.modified, let header = try? ClipFile.header(item.destination)
        else { return false }
        return header.shape == shape && header.element == element && header.framesPerSecond == rate
    }
}
