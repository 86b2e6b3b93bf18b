import Testing
import VidData
import VidSystem
import VidTestSupport

/// What is said about data that is not in class folders: what was found, the wanted layout, and what to do.
@Suite struct LayoutAdviceTests {
    private static func error(_ files: [String], at path: String = "", content: String = "") throws -> VidclassError {
        let folder = try TestFolder()
        for file in files { try folder.write("data/" + file, text: content) }
        let place = path.isEmpty ? folder("data") : folder("data/" + path)
        var error = failure { try DataSet.open(place) }
        error.message = error.message.replacing(folder.path + "/", with: "")
        error.advice = error.advice.map { $0.replacing(folder.path + "/", with: "") }
        return error
    }

    @Test(arguments: [
        (["1.mp4", "2.mp4", "3.mp4"], "data: found 3 videos, but not in class folders", "  data/CLASS1/1.mp4"),
        (["only.bin"], "data: found one clip, but not in class folders", "  data/CLASS1/only.bin"),
        (["a.wav", "b.mp3"], "data: found 2 sounds, but not in class folders", "  data/CLASS2/b.mp3"),
        (
            ["cat_1.mp4", "cat_2.mp4", "dog.3.mkv", "dog4.mkv"], "data: found 4 videos, but not in class folders",
            "If the names begin with the classes (cat, dog), make a table of the clips and name it instead:"
        ),
        (["run/1.mp4", "run/x/2.mp4"], "data: expected at least two classes, found only \"run\" with 2 videos", "  data/CLASS2/..."),
        (["list.txt"], "data: found no clips (.bin, .npy, videos or sounds), only one other file, list.txt", "  data/CLASS1/a.mp4"),
        (
            ["run/a.doc", "walk/b.doc"], "data/run: the class \"run\" has no clips (.bin, .npy, videos or sounds), only the file run/a.doc",
            ""
        ),
        (
            ["run/1/a.jpg", "run/1/b.jpg", "walk/2/a.jpg"],
            "data: found 3 pictures in 2 folders, but no folder of numbered pictures that is a clip",
            "  data/CLASS1/clip1/2.jpg"
        ),
        (
            ["run/1.mp4", "walk/x/a.PNG"], "data: found one picture, but no folder of numbered pictures that is a clip",
            "  data/CLASS1/clip1/1.png"
        ),
    ])
    func folders(files: [String], message: String, advice: String) throws {
        let error = try LayoutAdviceTests.error(files)
        #expect(error.kind == .badData)
        #expect(error.message.hasPrefix(message), "\(error.message)")
        #expect(advice.isEmpty || error.advice.contains(advice), "\(error.advice)")
    }

    @Test func oneLevelTooLow() throws {
        let error = try LayoutAdviceTests.error(["run/1.mp4", "walk/2.mp4"], at: "run")
        #expect(error.message == "data/run: found one video, but not in class folders")
        #expect(error.advice.last == "If this is the folder of one class, name the folder above it: data")
    }

    @Test(arguments: [
        (
            "clip.mp4", "expected a folder with one folder per class, or a table (.csv, .tsv, .txt), found one video",
            "  vidclass inspect data/clip.mp4"
        ),
        (
            "x.json", "expected a folder with one folder per class, or a table (.csv, .tsv, .txt), found a configuration?",
            "Name a configuration with --config."
        ),
        (
            "x.zip", "expected a folder with one folder per class, or a table (.csv, .tsv, .txt), found an archive",
            "Unpack it, and name the folder."
        ),
        (
            "x.xlsx", "expected a folder with one folder per class, or a table (.csv, .tsv, .txt), found a workbook",
            "Save its sheet as CSV in a spreadsheet, and name that file."
        ),
        ("x.txt", "the table is empty; expected a header `path,label[,split][,group]`", "  path,label[,split][,group][,start,end]"),
        ("x.doc", "expected a folder with one folder per class, or a table (.csv, .tsv, .txt)", ""),
    ])
    func files(name: String, message: String, advice: String) throws {
        let error = try LayoutAdviceTests.error([name], at: name)
        #expect(error.kind == .badData && error.message == "data/\(name): \(message)")
        #expect(advice.isEmpty ? error.advice.isEmpty : error.advice.contains(advice), "\(error.advice)")
    }

    @Test func clipsByTheirContent() throws {
        let folder = try TestFolder()
        for name in ["a", "b.xyz"] { try folder.write("data/" + name, [UInt8]("RIFF\0\0\0\0WAVEfmt ".utf8)) }
        #expect(failure { try DataSet.open(folder("data")) }.message.hasSuffix("data: found 2 sounds, but not in class folders"))
        #expect(failure { try DataSet.open(folder("data/a")) }.message.hasSuffix("or a table (.csv, .tsv, .txt), found one sound"))
    }

    /// Names from a stranger's folder are quoted where they are part of a command.
    @Test func strangeNamesAreQuoted() throws {
        let error = try LayoutAdviceTests.error(["it's; all/train/run/1.mp4", "it's; all/train/walk/2.mp4"], at: "it's; all/train/run")
        #expect(error.advice.last == #"If this is the folder of one class, name the folder above it: 'data/it'\''s; all/train'"#)
    }
}
