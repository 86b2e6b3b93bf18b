import VidSystem

/// Describes every configuration key for people, from the tables that read the file.
package enum ConfigurationReference {
    /// All key paths, with `N` for a position in a list: `model.recurrent.N.units`.
    package static let keyPaths: [String] = rows.map(\.path).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }

    /// A Markdown table of all keys: path, values, default, meaning.
    package static var markdown: String { table(rows) }

    /// The keys of one section of the file, such as `training`.
    package struct Section {
        package let key: String
        /// The table of its keys.
        package let markdown: String
    }

    /// One table for each top-level key, in the order of the file.
    package static var sections: [Section] {
        var parts: [(key: String, rows: [Row])] = []
        for row in rows {
            let key = String(row.path.prefix { $0 != "." })
            if parts.last?.key == key { parts[parts.count - 1].rows.append(row) } else { parts.append((key, [row])) }
        }
        return parts.map { Section(key: $0.key, markdown: table($0.rows)) }
    }

    private static func table(_ rows: [Row]) -> String {
        var lines = ["| key | value | default | meaning |", "|---|---|---|---|"]
        for row in rows {
            let owners = row.owners.isEmpty ? "" : " (\(row.owners.joined(separator: ", ")))"
            let cells = ["`\(row.path)`\(owners)", row.summary, row.defaultValue.map { "`\($0.prettyLine)`" } ?? "", row.documentation]
            lines.append("| " + cells.map { $0.replacingPipes }.joined(separator: " | ") + " |")
        }
        return lines.joined(separator: "\n")
    }

    private struct Row {
        var path: String
        var summary: String
        var defaultValue: JSONNode?
        var documentation: String
        /// The words of the union that have the key; empty for all.
        var owners: [String] = []
    }

    private static let rows: [Row] = {
        var rows: [Row] = []
        add(RunConfiguration.codec.shape, path: "", to: &rows)
        return rows
    }()

    /// Adds the rows of the keys below `path`.
    private static func add(_ shape: ConfigurationShape, path: String, to rows: inout [Row]) {
        let prefix = path.isEmpty ? "" : path + "."
        switch shape {
        case .leaf: break
        case .nullable(let shape): add(shape, path: path, to: &rows)
        case .list(let element, _): add(element, path: prefix + "N", to: &rows)
        case .section(let fields):
            for field in fields { add(field, path: prefix + field.key, owners: [], to: &rows) }
        case .union(let tag, let defaultWord, let variants):
            let words = variants.map(\.word)
            rows.append(
                Row(
                    path: prefix + tag, summary: "one of \(quotedList(words))", defaultValue: defaultWord.map { .string($0) },
                    documentation: variants.map { "\($0.word): \($0.documentation)" }.joined(separator: " ")))
            var seen: [ConfigurationFieldShape] = []
            for field in variants.flatMap(\.fields) where !seen.contains(where: field.isDescribed(as:)) {
                seen.append(field)
                let owners = variants.filter { $0.fields.contains(where: field.isDescribed(as:)) }.map(\.word)
                add(field, path: prefix + field.key, owners: owners.count == words.count ? [] : owners, to: &rows)
            }
        }
    }

    private static func add(_ field: ConfigurationFieldShape, path: String, owners: [String], to rows: inout [Row]) {
        switch field.shape {
        case .leaf(_, let summary), .list(_, let summary):
            rows.append(
                Row(path: path, summary: summary, defaultValue: field.defaultValue, documentation: field.documentation, owners: owners))
        case .nullable:
            rows.append(
                Row(
                    path: path, summary: "an object with the keys below, or null", defaultValue: nil, documentation: field.documentation,
                    owners: owners))
        case .section, .union: break
        }
        add(field.shape, path: path, to: &rows)
    }
}

extension ConfigurationFieldShape {
    /// Returns true if a row of the table can stand for both: the same key with the same values, default and meaning.
    fileprivate func isDescribed(as other: Self) -> Bool {
        key == other.key && documentation == other.documentation && defaultValue == other.defaultValue
            && shape.summary == other.shape.summary
    }
}

extension ConfigurationShape {
    fileprivate var summary: String? {
        switch self {
        case .leaf(_, let summary), .list(_, let summary): summary
        case .section, .union, .nullable: nil
        }
    }
}

extension JSONNode {
    /// The value on one line, with spaces between elements.
    fileprivate var prettyLine: String {
        switch value {
        case .array(let elements): "[" + elements.map(\.prettyLine).joined(separator: ", ") + "]"
        case .object(let members): "{ " + members.map { "\"\($0.key)\": \($0.value.prettyLine)" }.joined(separator: ", ") + " }"
        default: text()
        }
    }
}

extension String {
    /// The text with `|` escaped, for a cell of a Markdown table.
    fileprivate var replacingPipes: String {
        split(separator: "|", omittingEmptySubsequences: false).joined(separator: "\\|")
    }
}

/// The configuration's page of the documentation, with a table for each section of the file.
package enum ConfigurationArticle {
    /// The whole page, in DocC's Markdown.
    package static var markdown: String {
        var text = opening
        for section in ConfigurationReference.sections {
            text += "\n\n## \(section.key)\n\n\(introductions[section.key].map { $0 + "\n\n" } ?? "")\(section.markdown)"
        }
        return text + "\n"
    }

    private static let opening = """
        # Configuration Reference

        Every key of a run's configuration, with its values, its default and its meaning.

        ## Overview

        @Comment {
            Written from the tables in Sources/VidConfig, as Configs/schema.json is. Do not edit it; after a change of the tables:
            VIDCLASS_UPDATE=1 swift test --filter VidConfigTests
        }

        One JSON file describes a run. Keys that it leaves out have the defaults below, so `{}` is a valid configuration:

        ```json
        {
          "model": {
            "input": { "frames": 16, "rows": 224, "columns": 224 },
            "recurrent": [{ "type": "lstm", "units": 256 }],
            "hidden": [{ "type": "dense", "units": 256 }, { "type": "dropout" }]
          },
          "data": { "path": "videos", "validation_split": 0.2 },
          "training": { "epochs": 20, "batch_size": 8 }
        }
        ```

        `--set KEY=VALUE` overrides one value from the command line, and addresses list elements by number:

        ```
        vidclass train --config config.json --set model.hidden.0.units=64
        ```

        Unknown keys and values out of range are refused with the line and the nearest valid word. The key
        `$comment` is ignored. Paths are relative to the working directory. For completion and checks in an editor, name
        `Configs/schema.json` in the file as `"$schema"`. `vidclass inspect config.json` shows the resolved configuration.

        In the tables `N` is the position of a layer or stage in its list, and words in brackets after a key are the types that
        have it.
        """

    private static let introductions: [String: String] = [
        "model": "The network: its input, the CNN for each frame, the recurrent layers over the frames, and the layers after them.",
        "optimizer": "How gradients change the weights; <doc:HowItWorks> has the formulas.",
        "data":
            "Where the clips are, how they are split, which frames are sampled, and how pixels are preprocessed; <doc:DataAndSplits> has the formulas.",
        "augmentation": "Random changes of the training clips, the same for all frames of a clip.",
        "training":
            "How long training lasts, what ends it, and what is saved; <doc:TrainingRuns> has the formulas of losses and learning rates.",
        "stages": "The stages of one training, in order.",
        "evaluation": "How clips are sampled in validation, `eval` and `predict`.",
        "output": "Where the run's folder is; <doc:RunFoldersAndFormats> describes its contents.",
    ]
}
