import Foundation
import Testing
import VidData
import VidSystem
import VidTensor
import VidTestSupport

@Suite struct AnimationWriterTests {
    private static func frames(_ count: Int, rows: Int, columns: Int) -> [[UInt8]] {
        (0..<count).map { frame in
            (0..<rows * columns).flatMap { pixel -> [UInt8] in [UInt8(frame * 40), UInt8(pixel * 255 / (rows * columns)), 90] }
        }
    }

    @Test(.enabled(if: FFmpegProgram.isInstalled), arguments: AnimationWriter.Format.allCases)
    func everyFormatHoldsTheFrames(_ format: AnimationWriter.Format) async throws {
        let folder = try TestFolder()
        let path = folder.path + "/film.\(format.rawValue)"
        try await AnimationWriter().write(Self.frames(5, rows: 33, columns: 47), rows: 33, columns: 47, framesPerSecond: 5, to: path)
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        func holds(_ text: String) -> Bool { bytes.prefix(256).contains(text) }
        switch format {
        case .gif: #expect(holds("GIF89a") && bytes.last == 0x3B)
        case .webp: #expect(holds("RIFF") && holds("ANIM"))
        case .apng: #expect(holds("PNG") && holds("acTL"))
        case .mp4: #expect(holds("ftyp"))
        }
        if format == .gif || format == .mp4 {
            // Read back as a video, it has all frames in their size (an MP4's sides are even).
            let side = format == .mp4 ? (34, 48) : (33, 47)
            let loader = ClipLoader(frames: 5, channels: 3, rows: side.0, columns: side.1)
            let clip = try await loader.load(path)
            #expect(clip.sourceFrames == 5)
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).count == 1)
    }

    @Test func anotherExtensionAndAMissingFFmpegAreSaid() async throws {
        let folder = try TestFolder()
        let frames = Self.frames(1, rows: 2, columns: 2)
        await #expect(throws: VidclassError.self) {
            try await AnimationWriter().write(frames, rows: 2, columns: 2, framesPerSecond: 5, to: folder.path + "/film.avi")
        }
        let missing = AnimationWriter { throw VidclassError(.missingInput, "ffmpeg is not installed") }
        let error = await #expect(throws: VidclassError.self) {
            try await missing.write(frames, rows: 2, columns: 2, framesPerSecond: 5, to: folder.path + "/film.gif")
        }
        #expect(error?.kind == .missingInput && error?.message.contains("ffmpeg") == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    @Test(.enabled(if: FFmpegProgram.isInstalled)) func aFailureLeavesNoFile() async throws {
        let folder = try TestFolder()
        // A GIF's sides are at most 65535.
        let wide = 70_000
        await #expect(throws: VidclassError.self) {
            try await AnimationWriter().write(
                [[UInt8](repeating: 9, count: wide * 3)], rows: 1, columns: wide, framesPerSecond: 5, to: folder.path + "/film.gif")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }
}

extension AnimationWriterTests {
    /// Behaves like an ffmpeg without the encoder, which ends with most of its input unread. Repeated, because only timing decides
    /// whether a pipe to it would break.
    @Test func anFFmpegThatReadsNothingIsAnErrorAndNotASignal() async throws {
        let folder = try TestFolder()
        let script = try folder.write("tools/ffmpeg", text: "#!/bin/sh\necho \"Unknown encoder 'gif'\" >&2\nexit 1\n")
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: script)
        let ffmpeg = FFmpeg(path: script, version: "test")
        let writer = AnimationWriter { ffmpeg }
        let frames = Self.frames(5, rows: 400, columns: 400)
        for _ in 0..<5 {
            let error = await #expect(throws: VidclassError.self) {
                try await writer.write(frames, rows: 400, columns: 400, framesPerSecond: 5, to: folder.path + "/film.gif")
            }
            #expect(error?.kind == .inputOutput && error?.message.contains("Unknown encoder") == true)
        }
        #expect(try folder.names() == ["tools"])
    }
}

extension [UInt8].SubSequence {
    fileprivate func contains(_ text: String) -> Bool {
        let wanted = Array(text.utf8)
        return indices.contains { self[$0...].starts(with: wanted) }
    }
}
