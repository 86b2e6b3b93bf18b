import Foundation
import Testing
import VidCheckpoint
import VidConfig
import VidData
import VidSystem
import VidTensor
import VidTestSupport

/// Which folders are clips: by the names in them alone.
@Suite struct FrameFolderNameTests {
    private static func find(_ names: [String]) -> [String]? {
        guard case .frames(let folder) = FrameFolder.find(in: "clip", names: names) else { return nil }
        return folder.names
    }

    @Test(arguments: [
        (["10.png", "2.png", "1.png"], ["1.png", "2.png", "10.png"]),
        (["img_00001.JPG", "img_00002.jpg", "img_00003.jpeg"], ["img_00001.JPG", "img_00002.jpg", "img_00003.jpeg"]),
        (["vid_03_f12.jpg", "vid_03_f9.jpg"], ["vid_03_f9.jpg", "vid_03_f12.jpg"]),
        (["f1_rgb.webp", "f10_rgb.webp", "f2_rgb.webp"], ["f1_rgb.webp", "f2_rgb.webp", "f10_rgb.webp"]),
        (["a0.bmp", "a1.tif", "Thumbs.db", "notes1.txt", "cover.png"], ["a0.bmp", "a1.tif"]),
        (["9999999999999999999998.png", "9999999999999999999999.png"], ["9999999999999999999998.png", "9999999999999999999999.png"]),
    ])
    func order(names: [String], expected: [String]) { #expect(Self.find(names) == expected) }

    @Test(arguments: [[], ["1.png"], ["a.png", "b.png"], ["1.png", "cover.png"], ["1.txt", "2.txt"], [".1.png", ".2.png"]])
    func noClip(names: [String]) { #expect(FrameFolder.find(in: "clip", names: names) == .none) }

    @Test(arguments: [
        (["a_1.png", "a_2.png", "b_1.png"], "its 3 numbered pictures are not one sequence, for example a_1.png and b_1.png"),
        (["1.png", "01.jpg", "2.png"], "two of its pictures have the same number, 1.png and 01.jpg"),
        (["1.png", "1.PNG"], "two of its pictures have the same number, 1.png and 1.PNG"),
    ])
    func unclear(names: [String], reason: String) {
        guard case .unclear(let found) = FrameFolder.find(in: "clip", names: names) else {
            Issue.record("\(names) are clear")
            return
        }
        #expect(found.hasPrefix(reason), "\(found)")
    }

    @Test(
        arguments: [
            ([1, 2, 3], nil), ([0, 5, 10, 15], nil), ([7, 8], nil), ([1, 2, 4], "number 3 is missing"),
            ([16, 18, 19, 23], "numbers 17 and 20 to 22 are missing"), ([1, 2, 5], "numbers 3 and 4 are missing"),
            ([0, 5, 15], "number 10 is missing"),
            ([1, 2, 4, 5, 7, 8, 10, 11, 13, 14, 16], "numbers 3, 6, 9 and 2 more gaps (5 in all) are missing"),
        ] as [([Int], String?)])
    func gaps(numbers: [Int], missing: String?) throws {
        guard case .frames(let folder) = FrameFolder.find(in: "clip", names: numbers.map { "f\($0).png" }) else {
            Issue.record("\(numbers) are no clip")
            return
        }
        #expect(folder.missing == missing)
    }
}

/// Folders of numbered pictures as clips of a data set.
@Suite struct FrameFolderLayoutTests {
    private let folder: TestFolder

    init() throws { folder = try TestFolder() }

    private func write(_ files: [String]) throws { for file in files { try folder.write(file) } }

    @Test func classFolders() throws {
        try write([
            "d/cat/a/1.png", "d/cat/a/2.png", "d/cat/a/Thumbs.db", "d/cat/a/.hidden.png", "d/cat/b/x10.JPG", "d/cat/b/x9.jpg",
            "d/cat/c.mp4", "d/dog/deep/er/f1.webp", "d/dog/deep/er/f2.webp", "d/dog/v_g01_c01/1.png", "d/dog/v_g01_c01/2.png",
            "d/dog/one/1.png", "d/dog/two/a1.png", "d/dog/two/b1.png", "d/dog/beside/v.mp4", "d/dog/beside/t1.jpg", "d/dog/beside/t2.jpg",
        ])
        let data = try DataSet.open(folder("d"), split: .none)
        #expect(data.entries.map(\.id).sorted() == ["cat/a", "cat/b", "cat/c.mp4", "dog/beside/v.mp4", "dog/deep/er", "dog/v_g01_c01"])
        #expect(data.entries.first { $0.id == "dog/v_g01_c01" }?.group == "dog/v_g01")
        // Pictures that a note counts are not other files.
        let expected = ["cat/a/Thumbs.db", "dog/one/1.png", "dog/two/a1.png", "dog/two/b1.png"]
        #expect(data.findings.otherFiles == expected)
        let notes = data.findings.notes.joined(separator: "\n")
        #expect(
            notes.contains(
                "skipped the 2 numbered pictures in dog/beside, because it has other clips; other folders with such pictures: 1"),
            "\(notes)")
    }

    /// Photos directly in class folders are not one clip each.
    @Test func classesOfPhotos() throws {
        try write(["d/cat/IMG_2034.jpg", "d/cat/IMG_2040.jpg", "d/dog/IMG_1.jpg", "d/dog/IMG_2.jpg", "d/dog/IMG_7.jpg"])
        let error = failure { try DataSet.open(folder("d")) }
        #expect(error.kind == .badData)
        #expect(error.message.hasSuffix("d/cat: the class \"cat\" is a single clip, a folder of 2 numbered pictures"), "\(error.message)")
        #expect(error.advice.contains("  " + folder("d/cat/CLIP1/IMG_2034.jpg")), "\(error.advice)")
        #expect(error.advice.last == "Single photos are not clips: vidclass classifies videos.")
    }

    @Test func theClipsOfOneClass() throws {
        try write(["d/cat/a/1.png", "d/cat/a/2.png", "d/cat/b/1.png", "d/cat/b/2.png"])
        let error = failure { try DataSet.open(folder("d/cat")) }
        #expect(error.advice.contains("If \(folder("d/cat")) holds the clips of one class, name the folder above it: \(folder("d"))"))
        #expect(failure { try DataSet.open(folder("d/cat/a")) }.message.contains("found one clip, a folder of 2 numbered pictures"))
    }

    @Test func clipsWithinEachOther() throws {
        try write(["d/cat/a/1.png", "d/cat/a/2.png", "d/cat/a/flow/1.png", "d/cat/a/flow/2.png", "d/dog/b.mp4"])
        let error = failure { try DataSet.open(folder("d")) }
        #expect(error.message.contains("d/cat/a: holds 2 numbered pictures, and so does \(folder("d/cat/a/flow")) below it"), "\(error)")
    }

    @Test func tables() throws {
        try write(["a/1.png", "a/2.png", "b/1.png", "b/2.png", "c/a1.png", "c/b1.png"])
        let table = try folder.write("t.csv", text: "path,label\na,x\nb/,y\n")
        #expect(try DataSet.open(table, split: .none).entries.map(\.path).map(PathText.name) == ["a", "b"])
        let bad = try folder.write("bad.csv", text: "path,label\na,x\nc,y\n")
        let error = failure { try DataSet.open(bad) }
        #expect(error.message.contains("line 3: ") && error.message.contains("not one sequence"), "\(error.message)")
    }

    @Test func inputs() throws {
        try write(["a/1.png", "a/2.png", "b/1.png", "b/2.png", "b/c.txt", "none/1.png", "two/a1.png", "two/b1.png"])
        #expect(try ClipInputs.clips(at: folder("a")) == [folder("a")])
        #expect(try ClipInputs.clips(at: folder.path) == [folder("a"), folder("b")])
        #expect(try ClipInputs.clips(at: folder("[ab]")) == [folder("a"), folder("b")])
        #expect(failure { try ClipInputs.clips(at: folder("two")) }.message.contains("not one sequence"))
        #expect(failure { try ClipInputs.clips(at: folder("none")) }.message.contains("found no clips"))
    }

    /// A picture that is changed, replaced, added or renamed makes another clip for caches.
    @Test func identity() throws {
        try write(["a/1.png", "a/2.png", "a/notes.txt"])
        let first = try FileStatus(ofClip: folder("a"))
        #expect(try FileStatus(ofClip: folder("a")) == first)
        try folder.write("a/notes.txt", text: "other files do not matter")
        #expect(try FileStatus(ofClip: folder("a")) == first)
        var last = first
        let changes: [() throws -> Void] = [
            { try folder.write("a/2.png", text: "changed") }, { try folder.write("a/3.png") },
            { #expect(rename(folder("a/3.png"), folder("a/4.png")) == 0) },
            {
                try folder.write("new.png", text: "changed")
                #expect(rename(folder("new.png"), folder("a/2.png")) == 0)
            },
            {
                try folder.remove("a/4.png")
                try folder.remove("a/1.png")
                try write(["a/1.png"])
            },
        ]
        for change in changes {
            try change()
            let next = try FileStatus(ofClip: folder("a"))
            #expect(next != last)
            last = next
        }
        #expect(try FileStatus(ofClip: folder("a/1.png")) == SystemCall.status(folder("a/1.png")))
    }
}
