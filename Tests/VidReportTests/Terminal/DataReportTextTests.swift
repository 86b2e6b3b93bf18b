import Testing
import VidData
import VidReport
import VidSystem
import VidTestSupport

@Suite struct DataReportTextTests {
    private let box: TestFolder

    init() throws { box = try TestFolder() }

    /// Prints of frames that are not of one colour.
    private func prints(_ seed: Int) -> FramePrints {
        FramePrints(
            frames: (0..<4).map { frame in (0..<32 * 32).map { UInt8(($0 / 32 / 4 + $0 % 32 / 4 * 3 + frame) * (17 + seed) % 256) } })
    }

    private func facts(_ kind: String, frames: Int, digest: String, seed: Int) -> ClipFacts {
        ClipFacts(
            kind: kind, coding: kind == "video" ? "h264" : "uint8", frames: frames, channels: 3, rows: 24, columns: 32,
            framesPerSecond: 12.5, digest: digest, prints: prints(seed))
    }

    private func report(_ facts: [String: ClipFacts]) throws -> DataReport {
        for name in facts.keys { try box.write("data/" + name) }
        let data = try DataSet.open(box("data"))
        let clips = data.entries.map { entry in
            CheckedClip(
                entry: entry,
                result: facts[entry.id].flatMap { $0.frames > 0 ? .success($0) : nil } ?? .failure(.file(entry.path, "is too short")))
        }
        return DataReport(data: data, clips: clips, leaks: LeakSearch.leaks(clips))
    }

    @Test func aDataSetWithABadClipAndALeak() throws {
        let report = try report([
            "train/a/1.mp4": facts("video", frames: 8, digest: "x", seed: 0),
            "train/b/2.mp4": facts("video", frames: 16, digest: "y", seed: 90),
            "train/b/3.bin": facts("bin", frames: 0, digest: "", seed: 0),
            "val/a/4.bin": facts("bin", frames: 8, digest: "x", seed: 0),
        ])
        let text = DataReportText.text(report)
        let path = box("data")
        #expect(
            text.hasPrefix(
                """
                data      \(path)
                clips     4 clips in 2 classes (2 H.264 videos, 1 .bin file, 1 unreadable)
                size      32x24 (3)
                frames    8 to 16, median 8
                frames/s  12.50 in every clip
                seconds   0.6 to 1.3, median 0.6

                class  train  val
                a          1    1
                b          2    0
                all        3    1

                """), "\(text)")
        #expect(
            text.hasSuffix(
                """

                Bad clips
                  train/b/3.bin: is too short

                Clips that look the same in two splits
                  train train/a/1.mp4
                  val   val/a/4.bin  (identical)

                1 pair of clips in different splits looks the same.

                """), "\(text)")
    }

    /// A train clip and a copy of it in val, which is damaged, and a clip that cannot be read.
    private func damagedData() throws -> DataReport {
        var damaged = facts("video", frames: 187, digest: "x", seed: 0)
        damaged.damage = VideoDamage(decodingErrors: 93, missingFrames: 13)
        return try report([
            "train/a/1.mp4": facts("video", frames: 200, digest: "x", seed: 0),
            "train/b/2.mp4": facts("bin", frames: 0, digest: "", seed: 0),
            "train/b/3.mp4": facts("video", frames: 8, digest: "z", seed: 90), "val/a/4.mp4": damaged,
        ])
    }

    @Test func damagedClipsAreListed() throws {
        let report = try damagedData()
        #expect(report.damaged.map(\.entry.id) == ["val/a/4.mp4"] && report.bad.count == 1 && report.leaks?.count == 1)
        let text = DataReportText.text(report)
        #expect(text.contains("\nDamaged clips\n  val/a/4.mp4: 93 decoding errors, 13 of 200 frames missing\n"), "\(text)")
        #expect(
            report.remarks.contains { $0.contains("1 clip is damaged, for example val/a/4.mp4") && $0.hasSuffix("--set data.damaged=skip") }
        )
        #expect(report.document["damaged"]?.intValue == 1)
        let listed = try #require(report.document["damaged_clips"]?.arrayElements?.first)
        #expect(listed["path"]?.stringValue == "val/a/4.mp4" && listed["decoding_errors"]?.intValue == 93)
        #expect(listed["missing_frames"]?.intValue == 13 && listed["skipped_bytes"]?.intValue == 0)
        let files = try #require(report.document["files"]?.arrayElements)
        #expect(files.first?["damage"]?.isNull == true && files.last?["damage"]?["missing_frames"]?.intValue == 13)
    }

    @Test func allClipsCanBeReadButOneIsDamaged() throws {
        let report = try damagedData()
        let readable = DataReport(data: report.data, clips: report.clips.filter { $0.facts != nil }, leaks: nil)
        #expect(DataReportText.text(readable).hasSuffix("\nAll clips can be read, but 1 is damaged.\n"))
    }

    /// As bad clips, damaged ones have a reason, leave the good data, and are in no leak.
    @Test func damagedClipsCanBeRefused() throws {
        let report = try damagedData()
        let refused = report.refusingDamaged()
        #expect(refused.bad.map(\.entry.id) == ["train/b/2.mp4", "val/a/4.mp4"] && refused.damaged.isEmpty)
        #expect(refused.bad.last?.reason == "is damaged: 93 decoding errors, 13 of 200 frames missing")
        #expect(refused.bad.last?.isReadable == true && refused.leaks?.isEmpty == true)
        #expect(refused.goodData.entries.map(\.id) == ["train/a/1.mp4", "train/b/3.mp4"])
        try refused.writeSkipped(to: box("skipped.csv"))
        #expect(
            String(decoding: try box.bytes("skipped.csv"), as: UTF8.self).hasSuffix(
                "val/a/4.mp4,\"is damaged: 93 decoding errors, 13 of 200 frames missing\"\n"))
        let error = try #require(report.damagedError())
        #expect(
            error.kind == .badData && error.message.contains("1 damaged clip of 4: ") && error.message.contains("4.mp4 (93 decoding errors")
        )
        #expect(
            error.message.hasSuffix("use it as it is by adding --set data.damaged=use, or leave it out by adding --set data.damaged=skip"))
        #expect(report.damagedError(isListed: true)?.message.contains("4.mp4") == false && refused.damagedError() == nil)
    }

    @Test func goodDataIsCalledGood() throws {
        let one = try report([
            "a/1.bin": facts("bin", frames: 8, digest: "x", seed: 0), "b/2.bin": facts("bin", frames: 8, digest: "y", seed: 90),
        ])
        #expect(DataReportText.text(one).hasSuffix("\nAll clips can be read.\n"))
        try box.remove("data")
        let divided = try report([
            "train/a/1.bin": facts("bin", frames: 8, digest: "x", seed: 0), "train/b/2.bin": facts("bin", frames: 8, digest: "y", seed: 90),
            "val/a/3.bin": facts("bin", frames: 8, digest: "z", seed: 50),
        ])
        #expect(
            DataReportText.text(divided).hasSuffix(
                "\nAll clips can be read. No two clips in different splits show the same footage.\n"))
    }

    /// Clips that can be read but not used are counted apart from unreadable ones, and codecs have their usual names.
    @Test func kindsOfClips() throws {
        var videos: [String: ClipFacts] = [:]
        for (index, codec) in ["hevc", "vp9", "mpeg4", "strange"].enumerated() {
            var one = facts("video", frames: 8, digest: codec, seed: 40 * index)
            one.coding = codec
            videos["\(index % 2)/\(codec).mp4"] = one
        }
        let whole = try report(videos)
        #expect(
            DataReportText.clips(whole) == "4 clips in 2 classes (1 H.265 video, 1 MPEG-4 video, 1 strange video, 1 VP9 video)",
            "\(DataReportText.clips(whole))")
        var pictures: [String: ClipFacts] = [:]
        for (index, coding) in ["mjpeg", "png", "png"].enumerated() {
            var one = facts("pictures", frames: 8, digest: "p\(index)", seed: 40 * index)
            one.coding = coding
            pictures["\(index % 2)/p\(index).bin"] = one
        }
        try box.remove("data")
        let folders = DataReportText.clips(try report(pictures))
        #expect(folders == "3 clips in 2 classes (2 folders of PNG pictures, 1 folder of JPEG pictures)", "\(folders)")
        let clips = whole.clips.map {
            CheckedClip(entry: $0.entry, result: .failure(.file($0.entry.path, "is too short")), isReadable: true)
        }
        #expect(DataReportText.clips(DataReport(data: whole.data, clips: clips, leaks: nil)) == "4 clips in 2 classes (4 unusable)")
    }

    @Test(arguments: [50, 80]) func linesFit(columns: Int) throws {
        let report = try report([
            "train/a/1.mp4": facts("video", frames: 8, digest: "x", seed: 0),
            "train/b/2.mp4": facts("video", frames: 16, digest: "y", seed: 90),
            "train/b/3.bin": facts("bin", frames: 0, digest: "", seed: 0), "val/a/4.bin": facts("bin", frames: 8, digest: "x", seed: 0),
        ])
        let lines = DataReportText.text(report, columns: columns).split(separator: "\n").map(String.init)
        #expect(lines.filter { !$0.contains(box.path) }.allSatisfy { $0.columns <= columns }, "\(lines)")
    }

    @Test func longListsAreShortened() throws {
        let names = (0..<35).map { "class\($0 < 10 ? "0" : "")\($0)/clip.bin" }
        let text = DataReportText.text(
            try report(Dictionary(uniqueKeysWithValues: names.map { ($0, facts("bin", frames: 0, digest: "", seed: 0)) })))
        #expect(text.contains("class29") && !text.contains("\nclass30") && text.contains("... 5 more classes"))
        #expect(text.contains("... 15 more bad clips (--json lists all)"))
        #expect(text.contains("35 unreadable") && !text.contains("can be read"))
    }

    @Test func aSummaryHasTheCountsOfTheGoodClips() throws {
        let report = try report([
            "train/a/1.bin": facts("bin", frames: 8, digest: "x", seed: 0), "train/a/2.bin": facts("bin", frames: 0, digest: "", seed: 0),
            "val/b/3.bin": facts("bin", frames: 8, digest: "y", seed: 90), "train/b/4.bin": facts("bin", frames: 8, digest: "z", seed: 50),
        ])
        let good = DataSummary(report, skipsBad: true)
        #expect(good.clips(of: "train") == 2 && good.clips(of: "val") == 1 && good.clips(of: "test") == 0)
        #expect(good.skipped.map(\.clip) == ["train/a/2.bin"] && good.skipped.map(\.reason) == ["is too short"])
        let all = DataSummary(report, skipsBad: false)
        #expect(all.clips(of: "train") == 3 && all.skippedCount == 0)
        #expect(all.facts.first?.text == "4 clips in 2 classes (3 .bin files, 1 unreadable)")
    }
}
