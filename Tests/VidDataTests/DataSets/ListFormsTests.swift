import Testing
import VidData
import VidSystem
import VidTestSupport

/// Lists without a header.
@Suite struct ListFormsTests {
    private static func ucf() throws -> TestFolder {
        let classes = [("ApplyEyeMakeup", 1), ("Basketball", 2)]
        let clips = classes.flatMap { name, _ in (1...3).map { "\(name)/v_\(name)_g0\($0)_c01.avi" } }
        // One was decoded already.
        let folder = try DataSetTests.folder(clips.map { "UCF-101/" + ($0.contains("g03") ? $0.replacing(".avi", with: ".bin") : $0) })
        func lines(_ groups: [Int], _ hasLabels: Bool) -> String {
            classes.flatMap { name, number in groups.map { "\(name)/v_\(name)_g0\($0)_c01.avi\(hasLabels ? " \(number)" : "")\r\n" } }
                .joined()
        }
        try folder.write("lists/trainlist01.txt", text: lines([2, 3], true))
        try folder.write("lists/testlist01.txt", text: lines([1], false))
        try folder.write("lists/testlist02.txt", text: lines([2], false))
        return folder
    }

    @Test(arguments: [true, false])
    func ucfLists(hasNames: Bool) throws {
        let folder = try ListFormsTests.ucf()
        if hasNames { try folder.write("lists/classInd.txt", text: "1 ApplyEyeMakeup\r\n2 Basketball\r\n") }
        let data = try TableFormsTests.open(folder, "lists/trainlist01.txt")
        func line(_ label: String, _ group: Int, _ kind: String, _ split: String) -> String {
            "../UCF-101/\(label)/v_\(label)_g0\(group)_c01.\(kind) \(label) \(split) \(label)/v_\(label)_g0\(group)"
        }
        #expect(
            TableFormsTests.lines(data) == [
                line("ApplyEyeMakeup", 2, "avi", "train"), line("ApplyEyeMakeup", 3, "bin", "train"), line("Basketball", 2, "avi", "train"),
                line("Basketball", 3, "bin", "train"), line("ApplyEyeMakeup", 1, "avi", "test"), line("Basketball", 1, "avi", "test"),
            ])
        #expect(
            data.findings.form?.text == "UCF-101 lists, trainlist01.txt and testlist01.txt" + (hasNames ? ", labels from classInd.txt" : "")
        )
        #expect(data.findings.notes.first == "testlist01.txt beside the list is the split \"test\"")
        #expect(data.namesSplits)
        // A test list alone has its labels in its paths.
        let test = try TableFormsTests.open(folder, "lists/testlist02.txt")
        #expect(test.classes == ["ApplyEyeMakeup", "Basketball"] && test.entries.count == 2 && !test.namesSplits)
        // The videos may be anywhere else.
        let elsewhere = try TestFolder()
        try elsewhere.write("lists/trainlist01.txt", try folder.bytes("lists/trainlist01.txt"))
        #expect(failure { try DataSet.open(elsewhere("lists/trainlist01.txt")) }.kind == .missingInput)
        let other = try TableFormsTests.open(elsewhere, "lists/trainlist01.txt", media: folder("UCF-101"))
        #expect(other.entries.map(\.path) == data.entries(of: .train).map { folder(String($0.id.dropFirst(3))) })
    }

    @Test func ucfErrors() throws {
        let folder = try ListFormsTests.ucf()
        try folder.write("lists/classInd.txt", text: "1 ApplyEyeMakeup\n")
        #expect(
            failure { try DataSet.open(folder("lists/trainlist01.txt")) }.message.contains(
                "trainlist01.txt: line 3: the label 2 has no name in classInd.txt, which names 1 to 1"))
        let names = [
            (
                "2 ApplyEyeMakeup\n1 Basketball\n",
                "v_ApplyEyeMakeup_g02_c01.avi is in the folder \"ApplyEyeMakeup\", but its label 1 is \"Basketball\" in classInd.txt"
            ),
            ("1 Apply\n2 Basketball\n", "is in the folder \"ApplyEyeMakeup\", but its label 1 is \"Apply\" in classInd.txt"),
        ]
        for (text, message) in names {
            try folder.write("lists/classInd.txt", text: text)
            let error = failure { try DataSet.open(folder("lists/trainlist01.txt")) }
            #expect(error.kind == .badData && error.message.hasPrefix(folder("lists/trainlist01.txt") + ": line 1: ApplyEyeMakeup/"))
            #expect(error.message.contains(message), "\(error.message)")
        }
        for (text, message) in [
            ("1 Apply\nBasketball\n", "expected a number of at least 0 and a label in each line"), ("\n", "names no labels"),
        ] {
            try folder.write("lists/classInd.txt", text: text)
            let found = failure { try DataSet.open(folder("lists/trainlist01.txt")) }.message
            #expect(found.hasPrefix(folder("lists/classInd.txt") + ": " + message), "\(found)")
        }
        // A folder of the test list that is no label is told in its own list.
        try folder.write("lists/classInd.txt", text: "1 ApplyEyeMakeup\n2 Basketball\n")
        try folder.write("lists/testlist01.txt", text: "Other/v.avi\n")
        try folder.write("UCF-101/Other/v.avi")
        #expect(
            failure { try DataSet.open(folder("lists/trainlist01.txt")) }.message
                == folder("lists/testlist01.txt") + ": line 1: classInd.txt has no label \"Other\", the folder of Other/v.avi")
        try folder.write("lists/classInd.txt", text: "1 A\n1 B\n")
        #expect(failure { try DataSet.open(folder("lists/trainlist01.txt")) }.message.contains("one number has two labels"))
        try folder.remove("lists/classInd.txt")
        try folder.write("lists/testlist01.txt", text: "ApplyEyeMakeup/v_ApplyEyeMakeup_g02_c01.avi\n")
        #expect(
            failure { try DataSet.open(folder("lists/trainlist01.txt")) }.message.contains(
                "testlist01.txt: line 1: ../UCF-101/ApplyEyeMakeup/v_ApplyEyeMakeup_g02_c01.avi is already in trainlist01.txt, line 1"))
    }

    @Test func mmaction() throws {
        let folder = try DataSetTests.folder(["videos/a/1.mp4", "videos/a/2.mp4", "videos/b/1.mp4", "videos/b/2.mp4"])
        try folder.write("x_train_split_1_videos.txt", text: "a/1.mp4 120 0\nb/1 99 1\n")
        try folder.write("x_val_split_1_videos.txt", text: "a/2.mp4 120 0\nb/2.mp4 99 1\n")
        try folder.write("label_map_x.txt", text: "eat cake\nwalk\n")
        let data = try TableFormsTests.open(folder, "x_train_split_1_videos.txt")
        #expect(
            TableFormsTests.lines(data) == [
                "videos/a/1.mp4 eat cake train", "videos/b/1.mp4 walk train", "videos/a/2.mp4 eat cake val", "videos/b/2.mp4 walk val",
            ])
        #expect(
            data.findings.form?.text
                == "`path total_frames label` lists, x_train_split_1_videos.txt and x_val_split_1_videos.txt, labels from label_map_x.txt")
        try folder.write("one.list", text: "videos/a/1.mp4 0\nvideos/b/1.mp4 1\n")
        #expect(try TableFormsTests.open(folder, "one.list").classes == ["eat cake", "walk"])
    }

    /// Labels that are no numbers of names are refused with their line, and never become names themselves.
    @Test(arguments: [
        ("v/a.mp4 0\nv/b.mp4 99999999999999999999999999\n", "line 2: the label 99999999999999999999999999 has no name in labels.txt"),
        ("v/a.mp4 0\nv/b.mp4 1.5\n", "line 2: the label 1.5 has no name in labels.txt, which names 0 to 1"),
        ("v/a.mp4 0\nv/b.mp4 -1\n", "line 2: the label -1 has no name in labels.txt, which names 0 to 1"),
        ("v/a.mp4 -1 0\nv/b.mp4 -1 1\n", "line 1: expected the number of frames before the label, found \"-1\""),
        ("v/a.mp4 3 0\nv/b.mp4 1e3 1\n", "line 2: expected the number of frames before the label, found \"1e3\""),
    ])
    func numbersOfLabels(text: String, message: String) throws {
        let folder = try DataSetTests.folder(["v/a.mp4", "v/b.mp4"])
        try folder.write("list.txt", text: text)
        try folder.write("labels.txt", text: "zero\none\n\n")
        let error = failure { try DataSet.open(folder("list.txt")) }
        #expect(error.kind == .badData && error.message.hasPrefix(folder("list.txt") + ": " + message), "\(error.message)")
    }

    /// Without a file of names, too, a list of numbers has no other labels; a list with words keeps them as they are.
    @Test(arguments: [("1.5", true), ("-1", true), ("1e1", true), ("99999999999999999999999", true), ("2", false), ("007", false)])
    func numbersWithoutNames(label: String, isRefused: Bool) throws {
        let folder = try DataSetTests.folder(["v/a.mp4", "v/b.mp4", "v/c.mp4"])
        try folder.write("train.txt", text: "v/a.mp4 0\nv/b.mp4 1\n")
        try folder.write("val.txt", text: "v/c.mp4 \(label)\n")
        try folder.write("words.txt", text: "v/a.mp4 run\nv/b.mp4 \(label)\n")
        let error = isRefused ? failure { try DataSet.open(folder("train.txt")) } : nil
        if let error {
            #expect(error.kind == .badData)
            #expect(
                error.message == folder("val.txt")
                    + ": line 1: expected the number of a class, 0, 1, 2, ..., as in other lines, found \"\(label)\"")
        } else {
            try folder.write("train.txt", text: "v/a.mp4 \(label)\nv/b.mp4 1\n")
            #expect(try DataSet.open(folder("train.txt"), classes: ["1", label]).classes == ["1", label])
        }
        #expect(try Set(DataSet.open(folder("words.txt")).classes) == ["run", label])
    }

    /// A blank line would shift the labels after it.
    @Test(arguments: [("zero\n\none\n", 2), ("\nzero\none\n", 1)]) func blankLinesBetweenNames(text: String, line: Int) throws {
        let folder = try DataSetTests.folder(["v/a.mp4", "v/b.mp4"])
        try folder.write("list.txt", text: "v/a.mp4 0\nv/b.mp4 1\n")
        try folder.write("labels.txt", text: text)
        let error = failure { try DataSet.open(folder("list.txt")) }
        #expect(error.kind == .badData && error.message.hasPrefix(folder("labels.txt") + ": line \(line) is blank"), "\(error.message)")
        try folder.write("labels.txt", text: "0 zero\n\n1 one\n\n")
        #expect(try TableFormsTests.open(folder, "list.txt").classes == ["one", "zero"])
    }

    /// Errors name the list of a clip, and what helps where the labels come from.
    @Test func errorsNameTheList() throws {
        let folder = try DataSetTests.folder(["v/a.mp4", "v/b.mp4", "v/c.mp4"])
        try folder.write("train.txt", text: "v/a.mp4 x\nv/b.mp4 y\n")
        try folder.write("test.txt", text: "v/c.mp4 z\n")
        let error = failure { try DataSet.open(folder("train.txt")) }
        #expect(error.message.hasPrefix(folder("test.txt") + ": line 1: the label \"z\" is not one of the 2 classes of training (x, y)"))
        #expect(!error.message.contains("eval"), "\(error.message)")
        #expect(failure { try DataSet.open(folder("train.txt"), classes: ["x", "y"]) }.message.contains("--ignore-unknown-labels"))
        try folder.write("test.txt", text: "./v/../v/a.mp4 y\n")
        #expect(try DataSet.open(folder("train.txt")).entries.map(\.place) == ["line 1", "line 2", "test.txt, line 1"])
    }

    @Test(arguments: [" ", ",", "\t", ";", " , "])
    func pathAndLabel(mark: String) throws {
        let folder = try DataSetTests.folder(["v/a b.mp4", "v/c.mp4", "v/d.mp4"])
        try folder.write("train.csv", text: "\(folder("v/a b.mp4"))\(mark)0\nv/c.mp4\(mark)1\n")
        try folder.write("val.csv", text: "v/d.mp4\(mark)1\n")
        try folder.write("test.csv", text: "not,a\nlist,1\n")
        let data = try TableFormsTests.open(folder, "train.csv")
        #expect(TableFormsTests.lines(data) == ["\(folder("v/a b.mp4")) 0 train", "v/c.mp4 1 train", "v/d.mp4 1 val"])
        #expect(data.findings.form?.text == "`path label` lists, train.csv and val.csv")
        #expect(data.findings.notes.contains("test.csv beside the list is no list of clips, and is not read"))
        #expect(data.findings.notes.contains { $0.hasPrefix("the labels of train.csv are numbers") })
        try folder.write("words.txt", text: "v/c.mp4\(mark)walk\nv/d.mp4\(mark)eat cake\n")
        #expect(try TableFormsTests.open(folder, "words.txt").classes == ["eat cake", "walk"])
    }

    @Test(arguments: [
        ("a.mp4 0\nb.mp4\n", "line 2: expected a path, a space and a label, found \"b.mp4\""),
        ("a.mp4,0\nb.mp4;1\n", "line 2: expected a path, a comma and a label"),
        ("a.mp4\nb.mp4\n", "line 1: expected a label after the path"),
        ("a.mp4 0 1\nb.mp4 1\n", "line 1: found two numbers after the path, but not in the other lines"),
        ("a.mp4 x\nb.mp4 y\na.mp4 y\n", "line 3: a.mp4 is already in line 1"),
        ("a.mp4,x,train\nb.mp4,y,train\n", "line 1: expected the columns path and label, found \"a.mp4,x,train\""),
        ("a.mp4 0 1 2\nb.mp4 0 1 2\n", "line 1: expected the columns path and label"),
        ("1 ApplyEyeMakeup\n", "line 1: expected the columns path and label"),
        ("All rights reserved.\n", "line 1: expected the columns path and label"),
    ])
    func refused(text: String, message: String) throws {
        let folder = try DataSetTests.folder(["a.mp4", "b.mp4"])
        try folder.write("list.txt", text: text)
        let error = failure { try DataSet.open(folder("list.txt")) }
        #expect(error.kind == .badData && error.message.hasPrefix(folder("list.txt") + ": " + message), "\(error.message)")
    }
}
