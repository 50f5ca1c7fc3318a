//! XEP-0004: Data Forms.

use crate::xmpp::{ns, stanza::Element};

/// A form to fill in, or one that was.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Form {
    /// What it is for.
    pub kind: FormType,
    /// Its heading.
    pub title: Option<String>,
    /// What to do, a paragraph each.
    pub instructions: Vec<String>,
    /// Its fields.
    pub fields: Vec<Field>,
    /// The columns of a table (XEP-0004 §3.4): only in results.
    pub reported: Vec<Field>,
    /// The rows of that table: the values of each, in the order of the columns.
    pub items: Vec<Vec<String>>,
}

/// What a form is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FormType {
    /// The user gave up.
    Cancel,
    /// To be filled in.
    #[default]
    Form,
    /// Data, for instance an answer.
    Result,
    /// Filled in.
    Submit,
}

/// A field of a [`Form`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub var: String,
    /// How it is shown; in submitted forms often left out.
    pub kind: Option<String>,
    /// What stands beside it.
    pub label: Option<String>,
    /// Its values.
    pub values: Vec<String>,
    /// What can be chosen: label and value.
    pub options: Vec<(String, String)>,
    /// Whether it must be filled in.
    pub required: bool,
}

impl Form {
    /// A form to fill in, for this protocol (XEP-0068).
    pub fn new(form_type: &str) -> Self {
        let marker = Field {
            values: vec![form_type.to_owned()],
            ..Field::new("FORM_TYPE", "hidden")
        };
        Self {
            fields: vec![marker],
            ..Self::default()
        }
    }

    /// Sets the heading.
    #[must_use]
    pub fn with_title(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Adds a paragraph of instructions.
    #[must_use]
    pub fn with_instructions(mut self, text: impl Into<String>) -> Self {
        self.instructions.push(text.into());
        self
    }

    /// Adds a field.
    #[must_use]
    pub fn with_field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    /// Reads the form among an element's children.
    pub fn in_element(parent: &Element) -> Option<Self> {
        Self::from_element(parent.child("x", ns::FORMS)?)
    }

    /// Reads an `<x/>`; `None` if it is no form.
    pub fn from_element(element: &Element) -> Option<Self> {
        if !element.is("x", ns::FORMS) {
            return None;
        }
        let kind = match element.attr("type")? {
            "cancel" => FormType::Cancel,
            "form" => FormType::Form,
            "result" => FormType::Result,
            "submit" => FormType::Submit,
            _ => return None,
        };
        let texts = |name| children(element, name).map(|child| child.text().into_owned());
        let fields = |of: &Element| children(of, "field").map(Field::from_element).collect();
        let reported: Vec<Field> = children(element, "reported").flat_map(fields).collect();
        let row = |item: &Element| {
            let filled: Vec<Field> = fields(item);
            let cell = |column: &Field| {
                let field = filled.iter().find(|field| field.var == column.var);
                let value = field.and_then(|field| field.values.first());
                value.cloned().unwrap_or_default()
            };
            reported.iter().map(cell).collect()
        };
        Some(Self {
            items: children(element, "item").map(row).collect(),
            kind,
            title: texts("title").next(),
            instructions: texts("instructions").collect(),
            fields: fields(element),
            reported,
        })
    }

    /// The form as `<x/>`.
    pub fn to_element(&self) -> Element {
        let kind = match self.kind {
            FormType::Cancel => "cancel",
            FormType::Form => "form",
            FormType::Result => "result",
            FormType::Submit => "submit",
        };
        let text = |name: &'static str| {
            move |text: &String| Element::text_only(name, ns::FORMS, text.as_str())
        };
        Element::new("x", ns::FORMS)
            .with_attr("type", kind)
            .with_children(self.title.iter().map(text("title")))
            .with_children(self.instructions.iter().map(text("instructions")))
            .with_children(self.fields.iter().map(Field::to_element))
            .with_children(self.table())
    }

    /// XEP-0004 §3.4.
    fn table(&self) -> Vec<Element> {
        if self.reported.is_empty() {
            return Vec::new();
        }
        let header = Element::new("reported", ns::FORMS)
            .with_children(self.reported.iter().map(Field::to_element));
        let cell = |(column, value): (&Field, &String)| {
            let field = Field {
                var: column.var.clone(),
                ..Field::default()
            };
            field.with_value(value.as_str()).to_element()
        };
        let row = |row: &Vec<String>| {
            let cells = self.reported.iter().zip(row).map(cell);
            Element::new("item", ns::FORMS).with_children(cells)
        };
        std::iter::once(header)
            .chain(self.items.iter().map(row))
            .collect()
    }

    /// The protocol it belongs to (XEP-0068).
    pub fn form_type(&self) -> Option<&str> {
        self.value("FORM_TYPE")
    }

    /// The first value of a field.
    pub fn value(&self, var: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|field| field.var == var)?
            .values
            .first()
            .map(String::as_str)
    }

    /// Whether a boolean field says yes; in either of the two spellings.
    pub fn is_true(&self, var: &str) -> bool {
        matches!(self.value(var), Some("1" | "true"))
    }
}

impl Field {
    /// A field of a kind that XEP-0004 §3.3 names, such as `text-single`.
    pub fn new(var: impl Into<String>, kind: &str) -> Self {
        Self {
            var: var.into(),
            kind: Some(kind.to_owned()),
            ..Self::default()
        }
    }

    /// Sets what stands beside it.
    #[must_use]
    pub fn with_label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Adds a value.
    #[must_use]
    pub fn with_value(mut self, value: impl Into<String>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Adds something to choose.
    #[must_use]
    pub fn with_option(mut self, label: impl Into<String>, value: impl Into<String>) -> Self {
        self.options.push((label.into(), value.into()));
        self
    }

    /// Says that it must be filled in.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    fn from_element(element: &Element) -> Self {
        let attribute = |name| element.attr(name).map(str::to_owned);
        let value = |of: &Element| {
            of.child_text("value", ns::FORMS)
                .unwrap_or_default()
                .into_owned()
        };
        Self {
            var: attribute("var").unwrap_or_default(),
            kind: attribute("type"),
            label: attribute("label"),
            values: children(element, "value")
                .map(|child| child.text().into_owned())
                .collect(),
            options: children(element, "option")
                .map(|option| {
                    (
                        option.attr("label").unwrap_or_default().to_owned(),
                        value(option),
                    )
                })
                .collect(),
            required: element.child("required", ns::FORMS).is_some(),
        }
    }

    fn to_element(&self) -> Element {
        let value = |text: &str| Element::text_only("value", ns::FORMS, text);
        let option = |(label, text): &(String, String)| {
            Element::new("option", ns::FORMS)
                .with_attr("label", label.as_str())
                .with_child(value(text))
        };
        Element::new("field", ns::FORMS)
            .with_optional_attr("var", Some(self.var.as_str()).filter(|var| !var.is_empty()))
            .with_optional_attr("type", self.kind.as_deref())
            .with_optional_attr("label", self.label.as_deref())
            .with_children(self.values.iter().map(|text| value(text)))
            .with_children(self.options.iter().map(option))
            .with_children(self.required.then(|| Element::new("required", ns::FORMS)))
    }
}

fn children<'a>(parent: &'a Element, name: &'a str) -> impl Iterator<Item = &'a Element> {
    parent
        .children()
        .filter(move |child| child.is(name, ns::FORMS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_survives() {
        let form = Form::new(ns::REGISTER)
            .with_title("Register")
            .with_instructions("Choose a number.")
            .with_field(
                Field::new("phone", "list-single")
                    .with_label("Number")
                    .with_value("+12025550100")
                    .with_option("Washington", "+12025550100")
                    .with_option("", "+12025550101")
                    .required(),
            );
        assert_eq!(Form::from_element(&form.to_element()), Some(form.clone()));
        assert_eq!(form.form_type(), Some(ns::REGISTER));
        assert_eq!(form.value("phone"), Some("+12025550100"));
        assert_eq!(form.value("nothing"), None);
    }

    #[test]
    fn a_table_survives() {
        let form = Form {
            kind: FormType::Result,
            reported: vec![
                Field::new("a", "text-single").with_label("A"),
                Field::new("b", "text-single"),
            ],
            items: vec![
                vec!["1".to_owned(), "<&>".to_owned()],
                vec!["2".to_owned(), String::new()],
            ],
            ..Form::default()
        };
        assert_eq!(Form::from_element(&form.to_element()), Some(form));
    }

    #[track_caller]
    fn read(xml: &str) -> Option<Form> {
        Form::in_element(&format!("<query>{xml}</query>").parse().unwrap())
    }

    #[test]
    fn clients_leave_much_out() {
        let form = read(
            "<x xmlns='jabber:x:data' type='submit'><field var='remove'><value>1</value></field>\
             <field/><reported/><field var='empty'/></x>",
        )
        .unwrap();
        assert_eq!(form.kind, FormType::Submit);
        assert!(form.is_true("remove"));
        assert!(!form.is_true("empty"));
        assert_eq!(form.fields.len(), 3);
    }

    #[test]
    fn what_is_no_form_is_none() {
        for xml in [
            "",
            "<x xmlns='jabber:x:data'/>",
            "<x xmlns='jabber:x:data' type='?'/>",
            "<x xmlns='y' type='form'/>",
        ] {
            assert_eq!(read(xml), None, "for {xml}");
        }
    }
}
