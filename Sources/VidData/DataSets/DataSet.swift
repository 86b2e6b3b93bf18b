import VidConfig
import VidSystem

/// The use of a clip: training, validation or test.
package enum Split: String, Sendable, CaseIterable {
    case train
    case validation = "val"
    case test

    /// `train` or `training`; `val`, `valid`, `validation`, `validate` (Kinetics), `dev` or `development`; `test`, `testing`, `eval`,
    /// `evaluation` or `holdout` (zamba); also with `set` or `data` behind it. Case, spaces, `_` and `-` do not matter.
    package init?(name: String) {
        var word = name.lowercased()
        word.unicodeScalars.removeAll { $0 == "_" || $0 == "-" || LabelSpelling.isBlank($0) }
        for ending in ["set", "data"] where word.hasSuffix(ending) { word.removeLast(ending.count) }
        switch word {
        case "train", "training": self = .train
        case "val", "valid", "validation", "validate", "dev", "development": self = .validation
        case "test", "testing", "eval", "evaluation", "holdout": self = .test
        default: return nil
        }
    }
}

/// Labelled clips, each in one split.
package struct DataSet: Sendable {
    package struct Entry: Sendable, Equatable {
        /// The path by which the file can be opened.
        package var path: String
        /// The name in reports: the path relative to the data.
        package var id: String
        /// The class, a place in `classes`.
        package var label: Int
        package var split: Split
        /// Clips of one group always stay in one split; nil = a group of its own.
        package var group: String?
        /// The clip's line in the data's table, "line 3", or in another list, "testlist01.txt, line 3"; nil in folders.
        package var place: String?
        /// That of its file when it was listed; nil for a folder, for what a link leads to, and if it is not known.
        package var status: FileStatus?

        package init(
            path: String, id: String, label: Int, split: Split, group: String? = nil, place: String? = nil, status: FileStatus? = nil
        ) {
            self.path = path
            self.id = id
            self.label = label
            self.split = split
            self.group = group
            self.place = place
            self.status = status
        }
    }

    /// Everything found besides the clips.
    package struct Findings: Sendable, Equatable {
        /// Files that were skipped because they are not clips, relative to the data, sorted.
        package var otherFiles: [String] = []
        /// How many of these are clips outside of the class folders.
        package var looseClips = 0
        /// How many of these have names that are not valid UTF-8.
        package var invalidNames = 0
        /// Labels that the model does not know, sorted, with the clips that were left out for them.
        package var unknownLabels: [UnknownLabel] = []
        /// The form of a table or list; nil for a folder.
        package var form: Form?
        /// Notes for the user, such as a class without clips in a split, a group in two splits, or a circle of links.
        package var notes: [String] = []
    }

    /// The form in which a table or list names its clips.
    package struct Form: Sendable, Equatable {
        /// For people: "path,label,split", "UCF-101 lists, trainlist01.txt and testlist01.txt".
        package let text: String
        /// Whether another program's form was found.
        package let isNamed: Bool
    }

    /// A label that is not one of a model's classes.
    package struct UnknownLabel: Sendable, Equatable {
        package let label: String
        package let clips: Int
        /// The class with the most similar spelling, if there is one.
        package let nearest: String?

        /// `"pnog" (3 clips; "pong"?)`.
        package var text: String {
            "\"\(label.printable)\" (\(clips) \(clips == 1 ? "clip" : "clips")" + (nearest.map { "; \"\($0.printable)\"?" } ?? "") + ")"
        }
    }

    package let path: String
    /// Another folder in which the clips of a table are looked for.
    package let media: String?
    package let classes: [String]
    package let entries: [Entry]
    package let findings: Findings
    /// Whether the data names its own splits (by folders or a column); otherwise all are made from the shares in the config.
    package let namesSplits: Bool

    /// How to make the splits that the data does not name.
    package struct SplitOptions: Sendable {
        package var seed: UInt64
        /// The share of each class's clips in the validation split.
        package var validation: Double
        /// The share of each class's clips in the test split.
        package var test: Double

        package init(seed: UInt64 = 1, validation: Double = 0.2, test: Double = 0) {
            self.seed = seed
            self.validation = validation
            self.test = test
        }

        package static let none = SplitOptions(validation: 0, test: 0)
    }

    /// The clips of `split`, in the order of `entries`.
    package func entries(of split: Split) -> [Entry] { entries.filter { $0.split == split } }

    /// The number of clips of each class in `split`.
    package func counts(of split: Split) -> [Int] { entries.counts(of: split, classes: classes.count) }

    /// A copy with only the entries for which `isKept` is true; the classes stay.
    package func keeping(_ isKept: (Entry) -> Bool) -> DataSet {
        DataSet(path: path, media: media, classes: classes, entries: entries.filter(isKept), findings: findings, namesSplits: namesSplits)
    }

    /// One line about the skipped files; nil if there are none.
    package var otherFilesSummary: String? {
        let names = findings.otherFiles
        guard !names.isEmpty else { return nil }
        let shown = names.prefix(3).map(\.printable).joined(separator: ", ")
        let rest = names.count > 3 ? " and \(names.count - 3) more" : ""
        let clips = findings.looseClips
        let outside = clips == 0 ? "" : "; \(clips) of them \(clips == 1 ? "is a clip" : "are clips") outside of the class folders"
        let invalid = findings.invalidNames
        let renaming =
            invalid == 0
            ? "" : "; \(invalid) of them \(invalid == 1 ? "has a name that is" : "have names that are") not valid UTF-8: rename them"
        return "skipped \(names.count) other \(names.count == 1 ? "file" : "files"): \(shown)\(rest)\(outside)\(renaming)"
    }

    /// SHA-256 over the name, label and split of every clip, in order. It changes if a clip is added, removed or moved.
    package var digest: String {
        var hash = SHA256()
        for entry in entries {
            hash.update(Array("\(entry.id)\0\(classes[entry.label])\0\(entry.split.rawValue)\0".utf8))
        }
        return hash.digest().hexadecimal
    }
}

extension [DataSet.Entry] {
    /// The number of clips of each of `classes` classes in `split`.
    func counts(of split: Split, classes: Int) -> [Int] {
        var counts = [Int](repeating: 0, count: classes)
        // By place: an entry is not copied.
        for place in indices where self[place].split == split { counts[self[place].label] += 1 }
        return counts
    }
}

extension DataSet.SplitOptions {
    /// Throws `.badData` for shares outside of 0 ..< 1, or if they leave no training clips.
    func check() throws {
        for (name, share) in [("validation_split", validation), ("test_split", test)] {
            guard share >= 0, share < 1 else {
                throw VidclassError(.badData, "data.\(name): expected a share from 0 to below 1, found \(share)")
            }
        }
        guard validation + test < 1 else {
            throw VidclassError(
                .badData, "data.validation_split and data.test_split add up to \(validation + test), which leaves no clips for training")
        }
    }
}
