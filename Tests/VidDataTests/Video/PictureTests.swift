import Foundation
import Testing
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Folders of numbered pictures, decoded.
@Suite(.enabled(if: FFmpegProgram.isInstalled, "ffmpeg is not installed: pictures are not tested"))
struct PictureTests {
    /// Makes a folder of the frames of `video`.
    private func frames(of video: String, _ folder: String, in videos: Videos, _ options: [String] = [], name: String = "f%03d.png") throws
        -> String
    {
        try videos.folder.makeFolder(folder)
        try FFmpegProgram.run(["-i", video] + options + ["-start_number", "7", videos.folder(folder + "/" + name)])
        return videos.folder(folder)
    }

    /// A folder of the PNGs of a video with RGB pixels gives the same bits, in every size and sampling.
    @Test(arguments: [
        ["-c:v", "ffv1", "-pix_fmt", "gbrp"], ["-c:v", "png", "-pix_fmt", "rgb24"], ["-c:v", "ffv1", "-pix_fmt", "bgr0"],
    ])
    func theSameBitsAsTheVideo(options: [String]) async throws {
        let videos = try Videos()
        let video = try videos.make("v.mkv", size: "90x66", frames: 23, options: options)
        let folder = try frames(of: video, "v", in: videos)
        for (rows, columns) in [(66, 90), (32, 32), (48, 20), (12, 12), (100, 120)] {
            for type in [SamplingType.uniform, .fps, .consecutive] {
                var sampling = SamplingConfiguration()
                sampling.type = type
                sampling.framesPerSecond = 4
                let loader = ClipLoader(
                    frames: 5, channels: 3, rows: rows, columns: columns, sampling: sampling, files: MediaFiles(folderRate: 10))
                let (a, b) = (try await loader.load(video), try await loader.load(folder))
                #expect(a == b, "\(rows)x\(columns), \(type)")
            }
        }
        let info = try await ClipInformation.read(folder, files: MediaFiles(folderRate: 10))
        #expect(info.format == "png" && info.frames == 23 && info.rows == 66 && info.columns == 90 && info.framesPerSecond == 10)
        #expect(try await ClipInformation.read(folder).framesPerSecond == 0)
    }

    /// Every kind of picture, as ffmpeg decodes it.
    @Test(arguments: [
        ("f%d.png", "rgb24"), ("f%d.png", "rgba"), ("f%d.png", "gray"), ("f%d.png", "pal8"), ("f%d.png", "gray16be"),
        ("f%d.png", "rgb48be"),
        ("f%d.png", "ya8"), ("f%d.png", "monob"), ("f%d.bmp", "bgr24"), ("f%d.tiff", "rgb24"), ("f%d.TIF", "gray"), ("f%d.jpg", "yuvj420p"),
        ("f%d.JPEG", "yuvj444p"), ("f%d.jpg", "gray"), ("f%d.webp", "yuv420p"), ("f%d.webp", "bgra"),
    ])
    func kinds(name: String, format: String) async throws {
        let videos = try Videos()
        try videos.folder.makeFolder("clip")
        let names = name.lowercased()
        let codec =
            names.hasSuffix("jpeg")
            ? ["-c:v", "mjpeg"] : names.hasSuffix("tif") ? ["-c:v", "tiff"] : names.hasSuffix("webp") ? ["-c:v", "libwebp"] : []
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=40x30:rate=5", "-frames:v", "3", "-pix_fmt", format] + codec + ["-f", "image2"]
                + [videos.folder("clip/" + name)])
        let (clip, _, video) = try await videos.decode(videos.folder("clip"), rows: 30, columns: 40)
        #expect(video.frames == 3 && video.rows == 30 && video.columns == 40)
        for frame in 0..<3 {
            let path = videos.folder("clip/" + name.replacing("%d", with: "\(frame + 1)"))
            let reference = try videos.reference(path, filter: "scale=40:30:\(VideoTests.flags),format=rgb24", pixels: 1200)
            #expect(clip.selecting([frame], framesPerSecond: 0).pixels == .bytes(reference[0]), "\(path)")
        }
    }

    /// The orientation of a camera's pictures (EXIF, tag 274) is applied.
    @Test(arguments: [1, 3, 6, 8])
    func orientation(number: UInt8) async throws {
        let videos = try Videos()
        for frame in 1...2 {
            try videos.folder.makeFolder("clip")
            try FFmpegProgram.run(["-f", "lavfi", "-i", "testsrc2=size=40x30", "-frames:v", "1", "-c:v", "mjpeg", videos.folder("p.jpg")])
            let bytes = try videos.folder.bytes("p.jpg")
            let exif: [UInt8] = Array("Exif\0\0MM".utf8) + [0, 42, 0, 0, 0, 8, 0, 1, 1, 18, 0, 3, 0, 0, 0, 1, 0, number, 0, 0, 0, 0, 0, 0]
            try videos.folder.write(
                "clip/\(frame).jpg", Array(bytes[..<2]) + [0xFF, 0xE1, 0, UInt8(exif.count + 2)] + exif + Array(bytes[2...]))
        }
        let isTurned = number > 4
        let (rows, columns) = isTurned ? (40, 30) : (30, 40)
        let (clip, _, video) = try await videos.decode(videos.folder("clip"), rows: rows, columns: columns)
        #expect(video.rows == rows && video.columns == columns)
        let turn = [1: "null", 3: "hflip,vflip", 6: "transpose=clock", 8: "transpose=cclock"][Int(number)] ?? ""
        let reference = try videos.reference(
            videos.folder("p.jpg"), filter: "scale=40:30:\(VideoTests.flags),format=rgb24,\(turn)", pixels: 1200)
        #expect(clip.selecting([0], framesPerSecond: 0).pixels == .bytes(reference[0]))
    }

    /// Pictures that are not wanted are not opened; a broken one is named.
    @Test func onlyWantedPictures() async throws {
        let videos = try Videos()
        let video = try videos.make("v.mkv", frames: 20, options: ["-c:v", "png", "-pix_fmt", "rgb24"])
        let folder = try frames(of: video, "d/a/v", in: videos)
        _ = try frames(of: video, "d/b/w", in: videos, ["-vf", "negate"])
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32)
        let expected = try await loader.load(folder)
        #expect(expected.moments.map(\.frame) == [2, 7, 12, 17])
        for frame in 0..<20 where ![2, 7, 12, 17].contains(frame) {
            try videos.folder.write("d/a/v/f\(String(format: "%03d", frame + 7)).png", text: "nothing")
        }
        #expect(try await loader.load(folder) == expected)
        let report = try await DataCheck().run(try DataSet.open(videos.folder("d"), split: .none))
        #expect(report.unreadable == 1)
        #expect(report.clips[0].reason?.contains("f007.png: expected one picture of a clip") == true, "\(report.clips[0].reason ?? "")")
    }

    @Test(arguments: ["png", "jpg", "bmp", "tiff", "webp"])
    func brokenPictures(kind: String) async throws {
        let videos = try Videos()
        try videos.folder.makeFolder("clip")
        try FFmpegProgram.run(
            ["-f", "lavfi", "-i", "testsrc2=size=64x48", "-frames:v", "3"] + (kind == "webp" ? ["-c:v", "libwebp"] : [])
                + ["-f", "image2", videos.folder("clip/%d." + kind)])
        let loader = ClipLoader(frames: 3, channels: 3, rows: 32, columns: 32)
        _ = try await loader.load(videos.folder("clip"))
        let bytes = try videos.folder.bytes("clip/2." + kind)
        try videos.folder.write("clip/2." + kind, Array(bytes[..<(bytes.count * 2 / 3)]))
        let error = await failure { try await loader.load(videos.folder("clip")) }
        #expect(error.kind == .badData)
        #expect(error.message.hasPrefix(videos.folder("clip/2." + kind) + ": no picture that FFmpeg can read: "), "\(error.message)")
    }

    @Test(arguments: [
        ("", "the file is empty"), ("<html></html>", "not a picture but a web page"),
        ("hello", "expected one picture of a clip (PNG, JPEG, WebP, BMP or TIFF), found a text file"),
    ])
    func whatIsNoPicture(content: String, message: String) async throws {
        let folder = try TestFolder()
        for name in ["a/1.png", "a/2.png"] { try folder.write(name, text: content) }
        let error = await failure { try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(folder("a")) }
        #expect(error.message.hasPrefix(folder("a/1.png") + ": ") && error.message.contains(message), "\(error.message)")
    }

    /// ffmpeg writes such files where it is not told otherwise.
    @Test func animatedPictures() async throws {
        let videos = try Videos()
        try videos.folder.makeFolder("clip")
        for name in ["1.webp", "2.webp"] {
            try FFmpegProgram.run(["-f", "lavfi", "-i", "testsrc2=size=64x48:rate=5", "-frames:v", "3", videos.folder("clip/" + name)])
        }
        let error = await failure { try await ClipLoader(frames: 2, channels: 3, rows: 16, columns: 16).load(videos.folder("clip")) }
        #expect(error.message.hasPrefix(videos.folder("clip/1.webp") + ": not a picture but an animated WebP picture"), "\(error.message)")
    }

    /// Every picture is scaled from its own size.
    @Test func sizesThatDiffer() async throws {
        let videos = try Videos()
        try videos.folder.makeFolder("clip")
        for (number, size) in ["64x48", "48x64", "200x50"].enumerated() {
            try FFmpegProgram.run(["-f", "lavfi", "-i", "testsrc2=size=\(size)", "-frames:v", "1", videos.folder("clip/\(number).png")])
        }
        let (clip, _, video) = try await videos.decode(videos.folder("clip"))
        #expect(video.rows == 48 && video.columns == 64)
        for (number, scale) in ["43:32", "32:43", "128:32"].enumerated() {
            let reference = try videos.reference(
                videos.folder("clip/\(number).png"), filter: "scale=\(scale):\(VideoTests.flags),format=rgb24,crop=32:32", pixels: 1024)
            #expect(clip.selecting([number], framesPerSecond: 0).pixels == .bytes(reference[0]), "\(number)")
        }
    }

    @Test func rateAndParts() async throws {
        let videos = try Videos()
        let video = try videos.make("v.mkv", frames: 20, options: ["-c:v", "png", "-pix_fmt", "rgb24"])
        let folder = try frames(of: video, "v", in: videos)
        var sampling = SamplingConfiguration()
        sampling.type = .fps
        let loader = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32, sampling: sampling)
        let error = await failure { try await loader.load(folder) }
        #expect(error.message.contains("--set data.frame_folder_fps=25"), "\(error.message)")
        // A part of a folder is that of the video.
        let parts = ClipLoader(frames: 4, channels: 3, rows: 32, columns: 32, files: MediaFiles(folderRate: 10))
        for segment in ["#frame=5,15", "#t=0.5,1.5"] {
            let (a, b) = (try await parts.load(video + segment), try await parts.load(folder + segment))
            #expect(a == b && a.moments.map(\.frame) == [6, 8, 11, 13], "\(segment)")
        }
        #expect(parts.sampling(.whole, of: folder) != loader.sampling(.whole, of: folder))
    }

    @Test func packed() async throws {
        let videos = try Videos()
        let video = try videos.make("v.mkv", frames: 20, options: ["-c:v", "png", "-pix_fmt", "rgb24"])
        _ = try frames(of: video, "in/x/v", in: videos)
        for (fps, rate) in [(nil, Float(0)), (10, 10)] as [(Double?, Float)] {
            let report = try await PackTests.pack(videos.folder("in"), videos.folder("out"), PackTests.options(nil, side: 32, fps: fps))
            #expect(report.packed == ["x/v"])
            let clip = try ClipFile.read(videos.folder("out/x/v.bin"))
            #expect(clip.shape.frames == 20 && clip.framesPerSecond == rate)
            #expect(clip.pixels == (try await videos.decode(video).clip.pixels))
        }
        // One folder to one file, and not again while its pictures stay as they are.
        let one = try await PackTests.pack(videos.folder("in/x/v"), videos.folder("one.bin"), PackTests.options(4, side: 32))
        #expect(one.packed == ["v"])
        #expect(
            try await PackTests.pack(videos.folder("in/x/v"), videos.folder("one.bin"), PackTests.options(4, side: 32)).skipped == ["v"])
    }

    /// A check reads every picture, keeps facts by all pictures, and says which numbers are missing.
    @Test func checked() async throws {
        let videos = try Videos()
        let video = try videos.make("v.mkv", frames: 12, options: ["-c:v", "mjpeg", "-pix_fmt", "yuvj420p"])
        for (folder, filter) in [("d/a/1", "null"), ("d/a/2", "hflip"), ("d/b/1", "vflip"), ("d/b/2", "transpose")] {
            _ = try frames(of: video, folder, in: videos, ["-vf", filter], name: "f%d.jpg")
        }
        try videos.folder.remove("d/b/1/f9.jpg")
        let report = try await DataCheck().run(try DataSet.open(videos.folder("d"), split: .none))
        #expect(report.bad.isEmpty)
        #expect(report.kinds.map(\.name) == ["jpeg pictures"])
        #expect(report.facts.map(\.frames) == [12, 12, 11, 12])
        #expect(
            report.remarks.contains(
                "1 folder of pictures has gaps, for example b/1: number 9 is missing. The pictures that are there are the frames"),
            "\(report.remarks)")
    }
}
