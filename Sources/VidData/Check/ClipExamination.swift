import VidConfig
import VidSystem
import VidTensor

/// Reads a whole clip once and gathers what a check needs: whether it is readable to its end, its extents, and prints of its frames.
struct ClipExamination: Sendable {
    let decoder: VideoDecoder
    /// Whether all frames of long videos are decoded, too.
    let isThorough: Bool
    /// For sounds, whose frames depend on the model's input.
    let loader: ClipLoader?

    /// Everything besides the file and the segment that a clip's facts depend on; and the same of a thorough check, nil if it is equal.
    func variants(_ path: String) -> (own: String, thorough: String?) { variants(path, ClipFormat(keyOf: ClipPath.file(path))) }

    /// The same for a clip of this format, nil for a file that is none.
    func variants(_ path: String, _ format: ClipFormat?) -> (own: String, thorough: String?) {
        switch format {
        case .sound: return (loader?.sampling(.whole, of: path) ?? "none", nil)
        case .video:
            let plain = decoder.deinterlaces ? "" : "fields woven"
            let thorough = plain + "thorough"
            return isThorough ? (thorough, nil) : (plain, thorough)
        case .pictures:
            let plain = decoder.files.folderRate.map { "\($0) a second" } ?? ""
            let thorough = plain + "thorough"
            return isThorough ? (thorough, nil) : (plain, thorough)
        // Facts of earlier versions have no range.
        case .bin, .npy: return ("range", nil)
        default: return ("", nil)
        }
    }

    /// Examines the clip at `path`. Throws the reason if it is bad. Of a file whose part is the clip, only that part is examined.
    ///
    /// - Parameters:
    ///   - split: where the clip belongs.
    ///   - keeping: keeps the loader's views of that split if there is room, made in the same pass over the file.
    func facts(_ path: String, in split: Split = .train, keeping: KeptViews? = nil) async throws -> ClipFacts {
        let address = ClipPath(path)
        let status = keeping == nil ? nil : try? FileStatus(ofClip: address.file)
        let views = keeping?.views[split] ?? []
        func keep(_ clip: LoadedClip, _ view: ClipView) {
            guard let keeping, let loader, let status else { return }
            keeping.store.keep(clip, of: path, sampling: loader.sampling(view, of: path), status, mayStay: split == keeping.shown)
        }
        let format = try ClipFormat(existing: address.file)
        switch format {
        case .bin: return try facts(ClipFile.open(address.file), kind: "bin", address)
        case .npy: return try facts(NumpyFile.open(address.file), kind: "npy", address)
        case .video, .pictures:
            var (facts, clips) = try await video(address, hasRoom(for: views, in: keeping?.store) ? views : [])
            for (view, clip) in zip(views, clips) { keep(clip, view) }
            if format == .pictures { facts.kind = "pictures" }
            return facts
        case .sound: break
        }
        guard let loader else {
            throw VidclassError.file(path, "the frames of a sound depend on the model's input; give a config with --config")
        }
        let loaded = try await loader.load(path)
        if views.contains(.whole) { keep(loaded, .whole) }
        let shape = loaded.clip.shape
        return ClipFacts(
            kind: "sound", coding: loaded.clip.element.name, frames: loaded.sourceFrames, channels: shape.channels, rows: shape.rows,
            columns: shape.columns, framesPerSecond: Double(loaded.framesPerSecond), digest: loaded.contentHash,
            prints: FramePrints(loaded.clip))
    }

    /// Reads the payload once: verifies checksum and finite values, and keeps some frames for digest and prints.
    private func facts(_ file: ArrayFile, kind: String, _ address: ClipPath) throws -> ClipFacts {
        let frames = try ClipFrames(address, of: file.times)
        var shape = file.shape
        shape.frames = frames.count
        let clip = try file.read(frames: file.isVectors ? Array(frames.range) : frames.spread, within: frames.range)
        var hash = SHA256()
        hash.update(Array("\(shape) \(file.element.name)\n".utf8))
        clip.withUnsafeBytes { hash.update($0) }
        return ClipFacts(
            kind: file.isVectors ? ClipFacts.vectors : kind, coding: file.coding, frames: shape.frames, channels: shape.channels,
            rows: shape.rows,
            columns: shape.columns, framesPerSecond: Double(file.framesPerSecond), digest: hash.digest().hexadecimal,
            prints: file.isVectors ? FramePrints(frames: []) : FramePrints(clip), range: file.isVectors ? nil : PixelRange(clip))
    }

    /// Decodes the frames of a video: all of a short one, so that decoding errors are found now and not in the middle of a training; of
    /// a long one some key frames and both ends, unless the check is thorough. A part is decoded from the key frame before it.
    ///
    /// - Returns: also the loader's clips of `views`; none if it can make none, or if another pass might give others.
    private func video(_ address: ClipPath, _ views: [ClipView]) async throws -> (ClipFacts, [LoadedClip]) {
        let path = address.text
        // In colour: clips may differ in nothing else.
        let small = FrameSize(channels: 3, rows: FramePrints.side, columns: FramePrints.side)
        let size = views.isEmpty ? nil : try? loader?.frameSize(path)
        var kept: [[UInt8]] = []
        var hash = SHA256()
        var (assembly, passes): (ClipAssembly?, Int) = (nil, 0)
        var (promised, prints): (Int, Set<Int>) = (0, [])
        var frames: ClipFrames?
        let video = try await decoder.decode(path, size.map { [small, $0] } ?? [small]) { video in
            kept = []
            hash = SHA256()
            passes += 1
            assembly = nil
            let part = try ClipFrames(address, of: video.times)
            frames = part
            if passes == 1 { promised = part.count }
            if size != nil, passes == 1, address.segment != nil || video.damage == nil, let loader {
                assembly = try? ClipAssembly(loader, Array(views.enumerated()), of: part, element: .uint8, path: path)
            }
            let isComplete =
                isThorough || part.times.duration.map { $0 <= ClipExamination.longVideo } ?? (part.count <= ClipExamination.manyFrames)
            let chosen = isComplete ? part.spread : landmarks(part, keys: video.keys)
            prints = Set(chosen)
            // Of a part, only wanted frames are decoded.
            let numbers = isComplete && address.segment != nil ? Array(part.range) : chosen
            return VideoDecoder.Choice(
                size == nil ? [numbers] : [numbers, assembly?.indices ?? []], isComplete: isComplete && address.segment == nil)
        } consume: { number, size, frame in
            guard size == 0 else {
                assembly?.append(frame)
                return
            }
            guard prints.contains(number) else { return }
            hash.update(frame)
            kept.append(FramePrints.grey(ofSmall: Array(frame)))
        }
        guard let frames else { throw VidclassError.file(path, "no frame could be decoded") }
        hash.update(Array("\(video.rows)x\(video.columns), \(frames.count)\n".utf8))
        var damage = video.damage
        if address.segment != nil {
            // A complete decoding also meets damage elsewhere.
            damage =
                video.metErrors
                ? VideoDamage(
                    decodingErrors: video.isExact ? 0 : video.decodingErrors, missingFrames: max(0, promised - frames.count)) : nil
        }
        let facts = ClipFacts(
            kind: "video", coding: video.codec, frames: frames.count, channels: 3, rows: video.rows, columns: video.columns,
            framesPerSecond: frames.times.rate, digest: hash.digest().hexadecimal,
            prints: FramePrints(frames: FrameSampling.uniform(FramePrints.most, of: kept.count).map { kept[$0] }), damage: damage,
            videoStreams: max(1, video.streams))
        // The replacement of a lost frame depends on the frames that are decoded before it.
        guard let assembly, !video.metErrors else { return (facts, []) }
        return (facts, assembly.takeRest().map(assembly.clip))
    }

    private func hasRoom(for views: [ClipView], in store: ClipStore?) -> Bool {
        guard let loader, let store else { return false }
        return store.hasRoom(for: Size.product(views.count, loader.frames, loader.channels, Size.product(loader.rows, loader.columns)))
    }

    /// A video of more seconds is long.
    private static let longVideo = 60.0
    /// A folder of more pictures, at an unknown rate, is long.
    private static let manyFrames = 1800

    /// Key frames, which need no others, and both ends of a long clip, by their numbers in the file.
    private func landmarks(_ frames: ClipFrames, keys: [Bool]) -> [Int] {
        let keys = frames.range.filter { keys[$0] }
        // Without many key frames, those for prints are as cheap.
        let some =
            keys.count >= FramePrints.most / 2
            ? FrameSampling.uniform(FramePrints.most, of: keys.count).map { keys[$0] } : frames.spread
        return Set(some + [frames.range.lowerBound, frames.range.upperBound - 1]).sorted()
    }
}

extension ClipFrames {
    /// Frames for prints, by their numbers in the file.
    fileprivate var spread: [Int] { FrameSampling.uniform(FramePrints.most, of: count).map { range.lowerBound + $0 } }
}

extension ClipLoader {
    /// The reason why this loader cannot take the readable clip at `path`; nil if it can.
    func fault(_ facts: ClipFacts, _ path: String) -> VidclassError? {
        let fault =
            vectorsFault(isVectors: facts.kind == ClipFacts.vectors, features: facts.columns, path)
            ?? (facts.kind == "video" || facts.kind == "pictures"
                ? videoFault(path) : sizeFault(channels: facts.channels, rows: facts.rows, columns: facts.columns, path))
        if let fault { return fault }
        guard facts.frames < frames else { return nil }
        do {
            _ = try shortClips.indices(frames, of: facts.frames, path: path)
            return nil
        } catch {
            return error as? VidclassError
        }
    }
}
