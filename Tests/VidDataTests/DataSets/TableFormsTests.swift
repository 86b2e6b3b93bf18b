import Foundation
import Testing
import VidData
import VidSystem
import VidTestSupport

/// Tables in the forms in which people have them.
@Suite struct TableFormsTests {
    /// The entries as lines: id, label, split and group.
    static func lines(_ data: DataSet) -> [String] {
        data.entries.map { "\($0.id) \(data.classes[$0.label]) \($0.split.rawValue)" + ($0.group.map { " \($0)" } ?? "") }
    }

    static func open(_ folder: TestFolder, _ table: String, media: String? = nil) throws -> DataSet {
        let data = try DataSet.open(folder(table), media: media, split: .none)
        // What a run records opens the same files, whatever the form.
        let splits = try folder.write("splits \(UUID().uuidString).csv")
        try SplitsFile.write(data, to: splits)
        var entries = data.entries
        for place in entries.indices { entries[place].place = nil }
        #expect(try SplitsFile.read(splits, data: folder(table), media: media).entries == entries)
        for entry in data.entries {
            let status = try? SystemCall.status(ClipPath(entry.path).file)
            #expect(status != nil && entry.status == (status?.kind == .file ? status : nil), "\(entry.path)")
        }
        return data
    }

    @Test func columnsByName() throws {
        let folder = try DataSetTests.folder(["a.mp4", "sub/c.mp4", "d e.mp4"])
        try folder.write(
            "t.csv",
            text:
                "Unnamed: 0,Label,colour, PATH ,Splits,,SPLIT\n0,x,red,a.mp4,1,7,Train\n1,y,blue,sub\\c.mp4,1,7,TRAINING\n2,x,,d e.mp4 ,1,7,Validate\n"
        )
        let data = try TableFormsTests.open(folder, "t.csv")
        #expect(TableFormsTests.lines(data) == ["a.mp4 x train", "sub/c.mp4 y train", "d e.mp4 x val"])
        #expect(data.findings.notes.first == "ignored the columns \"colour\", \"Splits\"")
        #expect(data.findings.form?.text == "path,label,split")
        try folder.write("u.csv", text: "path,label,splits\na.mp4,x,1\nsub/c.mp4,y,1\n")
        #expect(try TableFormsTests.open(folder, "u.csv").findings.notes == ["ignored the column \"splits\" (split?)"])
    }

    @Test(arguments: [",", ";", "\t"])
    func delimiters(_ mark: String) throws {
        let folder = try DataSetTests.folder(["a,b;c.mp4", "d.mp4"])
        let rows = [["label", "path", "start", "end"], ["x", "\"a,b;c.mp4\"", "0.5", "2"], ["y; \"\"z\"\", w", "d.mp4", "", ""]]
        let text = rows.map { $0.map { $0.contains("w") ? "\"\($0)\"" : $0 }.joined(separator: mark) + "\n" }.joined()
        try folder.write("t.txt", text: text + "\(mark)\(mark)\(mark)\n")
        let data = try TableFormsTests.open(folder, "t.txt")
        #expect(TableFormsTests.lines(data) == ["a,b;c.mp4#t=0.5,2 x train", "d.mp4 y; \"z\", w train"])
        if mark != "," {
            try folder.write("u.csv", text: text.replacing("0.5", with: "0,5"))
            #expect(try TableFormsTests.open(folder, "u.csv").entries[0].id == "a,b;c.mp4#t=0.5,2")
        }
    }

    private static func utf16(_ text: String, isBigEndian: Bool) -> [UInt8] {
        ("\u{FEFF}" + text).utf16.flatMap { unit -> [UInt8] in
            let (high, low) = (UInt8(unit >> 8), UInt8(unit & 255))
            return isBigEndian ? [high, low] : [low, high]
        }
    }

    @Test func encodings() throws {
        let text = "path;label\r\na.mp4;🐈\r\n\u{E9}.mp4;\u{E9}\r\n"
        let bytes = [
            Array(text.utf8), [0xEF, 0xBB, 0xBF] + Array(text.utf8), TableFormsTests.utf16(text, isBigEndian: false),
            TableFormsTests.utf16(text, isBigEndian: true),
        ]
        for (number, bytes) in bytes.enumerated() {
            let folder = try DataSetTests.folder(["a.mp4", "\u{E9}.mp4"])
            try folder.write("t.csv", bytes)
            let data = try TableFormsTests.open(folder, "t.csv")
            #expect(data.classes == ["\u{E9}", "🐈"] && data.entries.map(\.id) == ["a.mp4", "\u{E9}.mp4"], "\(number)")
        }
        // UTF-16 that is cut anywhere is refused, or a beginning of the whole.
        for length in 0..<bytes[2].count {
            let folder = try DataSetTests.folder(["a.mp4", "\u{E9}.mp4"])
            try folder.write("t.csv", Array(bytes[2].prefix(length)))
            do { #expect(try DataSet.open(folder("t.csv"), split: .none).entries.count == 2, "\(length)") } catch {
                #expect(error is VidclassError, "\(length)")
            }
        }
    }

    private static let hostile: [(bytes: [UInt8], message: String)] = [
        ([0xFF, 0xFE, 0x61, 0x00, 0x0A, 0x00, 0x3D, 0xD8], "line 2: the UTF-16 text is cut off within a character"),
        ([0xFF, 0xFE, 0x61, 0x00, 0x62], "line 1: the UTF-16 text is cut off within a character"),
        ([0xFE, 0xFF, 0xDC, 0x00, 0x00, 0x61], "line 1: text that is not valid UTF-16"),
        ([0xFE, 0xFF, 0x00, 0x61, 0x00, 0x00], "line 1: a NUL character"),
        ([0x70, 0x00, 0x61, 0x00], "line 1: a NUL character: UTF-16 without a byte order mark?"),
        ([0x50, 0x4B, 0x03, 0x04, 0x00, 0x00], "not a table but an archive"),
        (Array("<!DOCTYPE html><html>".utf8), "not a table but a web page (HTML)"),
        ([0x80, 0x00, 0x0A] + [UInt8](repeating: 0xFE, count: 50_000), "line 1: a NUL character"),
        (Array("path,label\n".utf8) + [UInt8](repeating: 0xC3, count: 50_000), "line 2: text that is not valid UTF-8"),
        (Array(String(repeating: ";", count: 70_000).utf8), "line 1: expected the columns path and label"),
        (Array(String(repeating: ",", count: 70_000).utf8), "line 1: more than 65536 fields"),
        (Array(String(repeating: "a b/", count: 70_000).utf8), "line 1: expected the columns path and label"),
        (Array(String(repeating: "\"", count: 70_001).utf8), "line 1: a quoted field without its closing quote"),
    ]

    @Test(arguments: hostile)
    func hostileTables(bytes: [UInt8], message: String) throws {
        let folder = try TestFolder()
        for name in ["t.csv", "t.txt"] {
            try folder.write(name, bytes)
            let error = failure { try DataSet.open(folder(name)) }
            #expect(error.kind == .badData && error.message.hasPrefix(folder(name) + ": " + message), "\(error.message.prefix(300))")
        }
    }

    /// A table of one system and files of another: the characters are the same, their code points are not.
    @Test func unicodeSpellings() throws {
        let folder = try DataSetTests.folder(["caf\u{E9}/e\u{301}.mp4", "o\u{308}.mp4"])
        try folder.write("t.csv", text: "path,label\ncafe\u{301}\\\u{E9}.mp4,x\n\u{F6}.mp4,y\n")
        let ids = try TableFormsTests.open(folder, "t.csv").entries.map { Array($0.id.utf8) }
        #expect(ids == [Array("caf\u{E9}/e\u{301}.mp4".utf8), Array("o\u{308}.mp4".utf8)])
    }

    @Test func segments() throws {
        let folder = try DataSetTests.folder(["a.mp4", "b.mp4"])
        // A file whose name looks like an address of a segment.
        try ClipFile.write(
            Clip(shape: ClipShape(frames: 1, channels: 1, rows: 1, columns: 1), pixels: .bytes([0])), to: folder("c.mp4#t=1,2"))
        try folder.write(
            "t.csv",
            text:
                "video,label,start,end,score\na.mp4,x,0,1.5,0.9\na.mp4,y,00:01.5,01:02:03.25,0.8\nb.mp4,x,NaN,,1\n\"b.mp4#t=4,5\",y,,,1\n\"c.mp4#t=1,2\",y,,,\n"
        )
        let data = try TableFormsTests.open(folder, "t.csv")
        #expect(
            TableFormsTests.lines(data)
                == ["a.mp4#t=0,1.5 x train", "a.mp4#t=1.5,3723.25 y train", "b.mp4 x train", "b.mp4#t=4,5 y train", "c.mp4#t=1,2 y train"])
        #expect(data.entries[1].path == folder("a.mp4#t=1.5,3723.25"))
        #expect(ClipPath(data.entries[4].path) == ClipPath(file: folder("c.mp4#t=1,2")))
        #expect(data.findings.form?.text == "CreateML: video,label,start,end")
        try folder.write("f.csv", text: "path,label,start_frame,end_frame\na.mp4,x,0,30.0\na.mp4,y,30,60\n")
        #expect(try TableFormsTests.open(folder, "f.csv").entries.map(\.id) == ["a.mp4#frame=0,30", "a.mp4#frame=30,60"])
    }

    @Test func zamba() throws {
        let folder = try DataSetTests.folder(["a.mp4", "videos/b.mp4", "videos/c.mp4"])
        try folder.write("t.csv", text: "filepath,label,site,split\na.mp4,leopard,s1,train\nb.mp4,blank,s2,train\nc.mp4,blank,s2,holdout\n")
        let data = try TableFormsTests.open(folder, "t.csv", media: folder("videos"))
        #expect(TableFormsTests.lines(data) == ["a.mp4 leopard train s1", "b.mp4 blank train s2", "c.mp4 blank test s2"])
        #expect(data.entries[1].path == folder("videos/b.mp4"))
        #expect(data.findings.form?.text == "zamba: filepath,label,split,site")
        let error = failure { try DataSet.open(folder("t.csv")) }
        #expect(error.kind == .missingInput && error.message.hasSuffix("line 3: \(folder("b.mp4")) does not exist"), "\(error.message)")
        #expect(error.advice.first?.contains("--media DIR") == true)
        #expect(failure { try DataSet.open(folder("videos"), media: folder("videos")) }.message.contains("but this is a folder"))
        #expect(failure { try DataSet.open(folder("t.csv"), media: folder("t.csv")) }.message.contains("expected a folder of clips"))
        #expect(failure { try DataSet.open(folder("t.csv"), media: folder("none")) }.kind == .missingInput)
    }

    @Test func kinetics() throws {
        let folder = try DataSetTests.folder([
            "v/abseiling, fast/-0abc_000010_000020.mp4", "v/train/xyz.mkv", "v/zumba_dance/uvw_000005_000015.webm", "v/long.mp4",
            "v/validate/zumba dance/tuv_000000_000010.mp4",
        ])
        let head = "label,youtube_id,time_start,time_end,split\n"
        try folder.write(
            "train.csv",
            text: head
                + """
                "abseiling, fast",-0abc,10,20,train
                zumba dance,xyz,0,10,train
                zumba dance,gone,0,10,train
                zumba dance,uvw,5.0,15.0,validate
                zumba dance,tuv,0,10,validate
                "abseiling, fast",long,5,15,train
                zumba dance,long,25,35,train

                """)
        let data = try TableFormsTests.open(folder, "train.csv", media: folder("v"))
        #expect(
            TableFormsTests.lines(data) == [
                "abseiling, fast/-0abc_000010_000020.mp4 abseiling, fast train", "train/xyz.mkv zumba dance train",
                "zumba_dance/uvw_000005_000015.webm zumba dance val", "validate/zumba dance/tuv_000000_000010.mp4 zumba dance val",
                "long.mp4#t=5,15 abseiling, fast train", "long.mp4#t=25,35 zumba dance train",
            ])
        #expect(data.findings.notes.first == "left out 1 of 7 videos, which are not there, for example gone_000000_000010.mp4")
        #expect(data.findings.form?.text == "Kinetics: label,youtube_id,time_start,time_end,split")
        let error = failure { try DataSet.open(folder("train.csv")) }
        #expect(error.kind == .missingInput && error.message.contains("none of the 7 videos is there"), "\(error.message)")
        for (row, message) in [("a,,0,1,train", "line 2: label and youtube_id"), ("a,b,x,1,train", "line 2: time_start: expected seconds")]
        {
            try folder.write("bad.csv", text: head + row + "\n")
            #expect(failure { try DataSet.open(folder("bad.csv")) }.message.contains(message))
        }
    }
}
