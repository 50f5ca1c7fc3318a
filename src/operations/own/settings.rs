//! What a user has chosen.

use std::collections::BTreeMap;

use super::Me;
use crate::{
    gateway::settings::{Kind, Setting, Settings},
    operations::{Refusal, Reply, SettingShown},
    store::write::Operation,
    texts::Lang,
};

impl Me<'_> {
    pub(super) async fn settings(&self) -> Result<Reply, Refusal> {
        self.mine().await?;
        let chosen = self.chosen().await?;
        let lines = self.own_lines().await?;
        let shown = |setting: Setting| SettingShown {
            name: setting.name().to_owned(),
            value: chosen.get(setting).map(str::to_owned),
            choices: match setting.kind() {
                Kind::Language => Lang::ALL.map(|lang| lang.tag().to_owned()).into(),
                Kind::YesNo => ["yes", "no"].map(str::to_owned).into(),
                Kind::OwnLine => lines.clone(),
                Kind::Text(_) => Vec::new(),
            },
        };
        Ok(Reply::Settings(self.offered(&lines).map(shown).collect()))
    }

    pub(super) async fn change(&self, values: &BTreeMap<String, String>) -> Result<Reply, Refusal> {
        let user_id = self.mine().await?.user_id;
        let lines = self.own_lines().await?;
        let mut changes = serde_json::Map::new();
        let mut lang = None;
        for (name, value) in values {
            let bad = || Refusal::BadSetting {
                name: name.chars().take(40).collect(),
            };
            let setting = self.offered(&lines).find(|setting| setting.name() == name);
            let setting = setting.ok_or_else(bad)?;
            let value = value.trim();
            if !value.is_empty() && !setting.takes(value, &lines) {
                return Err(bad());
            }
            if setting == Setting::Language && !value.is_empty() {
                lang = Some(value.to_owned());
            }
            let value = Some(value).filter(|value| !value.is_empty());
            changes.insert(name.clone(), value.into());
        }
        let operation = Operation::Settings {
            user_id,
            changes: serde_json::Value::Object(changes).to_string(),
            lang,
        };
        if !self.on.operate(operation).await? {
            return Err(Refusal::Changed);
        }
        Ok(Reply::SettingsChanged)
    }

    pub(super) async fn chosen(&self) -> Result<Settings, Refusal> {
        let member = self.on.store.member(self.gateway.id, &self.jid, "").await?;
        Ok(member.map_or_else(Settings::default, |member| {
            Settings::from_json(&member.settings)
        }))
    }

    /// The settings that mean anything here, to this user.
    fn offered(&self, lines: &[String]) -> impl Iterator<Item = Setting> {
        let choice = lines.len() > 1;
        let here = Setting::ALL.map(|setting| (setting, setting.applies(self.gateway)));
        here.into_iter()
            .filter(move |(setting, applies)| {
                *applies && (choice || setting.kind() != Kind::OwnLine)
            })
            .map(|(setting, _)| setting)
    }

    pub(super) async fn own_lines(&self) -> Result<Vec<String>, Refusal> {
        let lines = self.on.store.lines_of(self.gateway.id, &self.jid).await?;
        Ok(lines)
    }
}
